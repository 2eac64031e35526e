import type { Log as ReceiverLog } from '../receiver/observe/log.ts';

/** What the operator logs by. Never gets a secret. */
export type Log = Pick<ReceiverLog, 'debug' | 'info' | 'warn' | 'error'>;

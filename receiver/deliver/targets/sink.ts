import { readStatus, type Target } from './reading.ts';

/** An HTTP sink: the status says it all. */
export const sink: Target = {
  read: (answer) => readStatus(answer.status),
};

import { type DestinationStream, pino } from 'pino';

/** The part of a pino logger that this product uses. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  isLevelEnabled(level: string): boolean;
}

/** Log levels, least severe first. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** JSON lines to `stream` (default: standard output). Errors are logged by message and code: a stack is for debug. */
export function createLog(level: LogLevel, stream?: DestinationStream): Log {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: labelled },
  };
  return stream === undefined ? pino(options) : pino(options, stream);
}

function labelled(label: string): object {
  return { level: label };
}

/** What a script can tell from how the command ended. The help of each command lists them. */
export const EXIT = {
  ok: 0,
  /** Tried and refused, or nothing usable was given. */
  failed: 1,
  /** Called wrongly: unknown command or option, a value missing or malformed. */
  usage: 2,
  /** The other side could not be reached, or asked to come back later. */
  unreachable: 3,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A call that cannot be carried out as written; the message is shown with the way to the help, and the exit code is 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** A failure that needs no stack trace: one sentence for the person at the terminal, with its exit code. */
export class CommandError extends Error {
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = EXIT.failed, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'CommandError';
    this.exitCode = exitCode;
  }
}

import { JournalError } from '../../receiver/journal/journal.ts';
import type { CopyReport } from '../../receiver/journal/postgres/copy/copy-journal.ts';
import { parseAddress } from '../address.ts';
import type { Terminal } from '../command.ts';
import { CommandError, EXIT, type ExitCode, UsageError } from '../exit-codes.ts';
import { postgresAddressOf } from '../journal-option.ts';
import type { Option, Parsed } from '../options.ts';
import { outputFormat } from '../output.ts';
import { openClosedDoor } from './closed-door.ts';

/** What `journal copy` takes beside `--to` and `--output`. */
export const COPY_OPTIONS: readonly Option[] = [
  {
    name: 'from',
    value: 'DIR',
    help: 'copy: a backup, or the data directory of a receiver that has stopped.',
  },
  { name: 'journal-password-file', value: 'FILE', help: 'copy: holds the password of the database.' },
  {
    name: 'answer',
    value: 'ADDR',
    multiple: true,
    help: 'copy: answers there with 503 and Retry-After, in the receiver’s place; may be given again.',
  },
];

/** `journal copy`: an embedded journal into a PostgreSQL. */
export async function copy(parsed: Parsed, terminal: Terminal): Promise<ExitCode> {
  const format = outputFormat(parsed);
  const from = parsed.text('from');
  const to = parsed.text('to');
  if (from === undefined || to === undefined)
    throw new UsageError('journal copy needs --from DIR and --to postgres://user@host/database.');
  const address = postgresAddressOf(to, parsed.text('journal-password-file'), '--to');
  const doors = parsed.list('answer').map((text) => parseAddress(text, '--answer'));
  // Loaded for this command only.
  const { openSqliteSource } = await import('../../receiver/journal/postgres/copy/sqlite-source.ts');
  const { copyJournal } = await import('../../receiver/journal/postgres/copy/copy-journal.ts');
  await using open = new AsyncDisposableStack();
  for (const door of doors) open.adopt(await openClosedDoor(door), ({ close }) => close());
  const started = performance.now();
  try {
    const source = openSqliteSource(from);
    try {
      const report = await copyJournal(source, address, (what, done) =>
        terminal.progress?.(`copying ${what} … ${done}`),
      );
      terminal.progress?.('');
      const seconds = (performance.now() - started) / 1000;
      terminal.out(format === 'json' ? JSON.stringify({ ...report, seconds }) : tellCopy(report, seconds));
      return EXIT.ok;
    } finally {
      source.close();
    }
  } catch (error) {
    terminal.progress?.('');
    if (!(error instanceof JournalError)) throw error;
    const message = `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`;
    throw new CommandError(message, EXIT.failed, error);
  }
}

function tellCopy({ events, undone, dead, rows, copied }: CopyReport, seconds: number): string {
  return [
    `Copied ${copied.events} events, ${copied.deliveries} deliveries, ${copied.keys} dedup keys and ${copied.rows} rows in ${seconds.toFixed(1)} s; each was read back and is the same.`,
    `The database holds ${events} events, ${undone} undone deliveries, ${dead} dead letters, ${rows} rows, as many as the source.`,
  ].join('\n');
}

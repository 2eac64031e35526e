import { JournalError } from '../../receiver/journal/journal.ts';
import {
  backupJournal,
  checkJournal,
  type JournalReport,
  type Progress,
} from '../../receiver/journal/sqlite/backup.ts';
import type { Terminal } from '../command.ts';
import { CommandError, EXIT, type ExitCode, UsageError } from '../exit-codes.ts';
import type { Parsed } from '../options.ts';
import { outputFormat } from '../output.ts';
import { tellReport } from './report.ts';

/** As `signalbox run` has it. */
export const DEFAULT_DATA = '.signalbox';

/** `journal check` */
export function check(parsed: Parsed, terminal: Terminal): Promise<ExitCode> {
  if (parsed.text('to') !== undefined)
    throw new UsageError('--to is of journal backup; check makes no copy to keep.');
  const scratch = parsed.text('scratch');
  const progress = shownBy(terminal);
  return told(parsed, terminal, () =>
    checkJournal(dataOf(parsed), { progress, ...(scratch === undefined ? {} : { scratch }) }),
  );
}

/** `journal backup` */
export function backup(parsed: Parsed, terminal: Terminal): Promise<ExitCode> {
  const to = parsed.text('to');
  if (to === undefined)
    throw new UsageError('journal backup needs --to DIR: a new directory that the backup goes to.');
  if (parsed.text('scratch') !== undefined)
    throw new UsageError('--scratch is of journal check; a backup is looked at where it is.');
  return told(parsed, terminal, () => backupJournal(dataOf(parsed), to, shownBy(terminal)));
}

function dataOf(parsed: Parsed): string {
  return parsed.text('data') ?? DEFAULT_DATA;
}

/** Shows how far it is; Ctrl-C ends it there, and what was copied goes. */
function shownBy(terminal: Terminal): Progress {
  return (step, done, of) => {
    if (terminal.stop.aborted) throw new CommandError('Stopped; no copy was kept.', EXIT.failed);
    terminal.progress?.(`${step} … ${Math.floor((done / Math.max(of, 1)) * 100)} %`);
  };
}

async function told(
  parsed: Parsed,
  terminal: Terminal,
  work: () => Promise<JournalReport>,
): Promise<ExitCode> {
  const format = outputFormat(parsed);
  try {
    const report = await work();
    terminal.progress?.('');
    terminal.out(format === 'json' ? JSON.stringify(report) : tellReport(report));
    return report.findings.length === 0 ? EXIT.ok : EXIT.failed;
  } catch (error) {
    if (!(error instanceof JournalError)) throw error;
    const message = `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`;
    throw new CommandError(message, EXIT.failed, error);
  } finally {
    terminal.progress?.('');
  }
}

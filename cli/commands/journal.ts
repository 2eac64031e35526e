import type { JournalReport } from '../../receiver/journal/sqlite/backup.ts';
import type { Command, Terminal } from '../command.ts';
import { EXIT, type ExitCode, UsageError } from '../exit-codes.ts';
import { backup, check, DEFAULT_DATA } from '../journal/copies.ts';
import { tellReport } from '../journal/report.ts';
import type { Parsed } from '../options.ts';
import { OUTPUT_OPTION, outputFormat } from '../output.ts';

/** What can be done with a journal. */
const ACTIONS: ReadonlyMap<string, (parsed: Parsed, terminal: Terminal) => Promise<JournalReport>> = new Map([
  ['check', check],
  ['backup', backup],
]);

/** `signalbox journal` */
export const journal: Command = {
  usage: ['journal check [--data DIR] [options]', 'journal backup --to DIR [--data DIR] [options]'],
  about: [
    'Looks at a journal, or makes a copy of it; the receiver that uses it goes on. Both copy the files, recover what was',
    'written last, and look at every page, every event’s checksum and what belongs together. A backup is one file,',
    'journal.db: to restore it, stop the receiver and put it into an empty data directory.',
  ].join('\n'),
  options: [
    { name: 'data', value: 'DIR', help: `Where the journal lies. Default: ${DEFAULT_DATA}` },
    { name: 'to', value: 'DIR', help: 'Where the backup goes: a new or an empty directory.' },
    {
      name: 'scratch',
      value: 'DIR',
      help: 'Where check makes its copy, as large as the journal. Default: the data directory',
    },
    OUTPUT_OPTION,
  ],
  examples: [
    'signalbox journal check --data /var/lib/signalbox',
    'signalbox journal backup --data /var/lib/signalbox --to /backup/2026-01-31',
  ],
  exits: {
    [EXIT.ok]: 'nothing is wrong with it; the backup is complete',
    [EXIT.failed]: 'something is wrong, each finding is told; or it could not be read or copied',
    [EXIT.usage]: 'called wrongly',
  },
  async run(parsed, terminal): Promise<ExitCode> {
    const format = outputFormat(parsed);
    const [name = '', ...more] = parsed.positionals;
    const action = ACTIONS.get(name);
    if (action === undefined || more.length > 0)
      throw new UsageError(`journal needs one word for what to do: ${[...ACTIONS.keys()].join(' or ')}.`);
    const report = await action(parsed, terminal);
    terminal.out(format === 'json' ? JSON.stringify(report) : tellReport(report));
    return report.findings.length === 0 ? EXIT.ok : EXIT.failed;
  },
};

import type { Command, Terminal } from '../command.ts';
import { EXIT, type ExitCode, UsageError } from '../exit-codes.ts';
import { backup, check, DEFAULT_DATA } from '../journal/copies.ts';
import { COPY_OPTIONS, copy } from '../journal/copy.ts';
import type { Parsed } from '../options.ts';
import { OUTPUT_OPTION } from '../output.ts';

/** What can be done with a journal. */
const ACTIONS: ReadonlyMap<string, (parsed: Parsed, terminal: Terminal) => Promise<ExitCode>> = new Map([
  ['check', check],
  ['backup', backup],
  ['copy', copy],
]);

/** `signalbox journal` */
export const journal: Command = {
  usage: [
    'journal check [--data DIR] [options]',
    'journal backup --to DIR [--data DIR] [options]',
    'journal copy --from DIR --to URL [options]',
  ],
  about: [
    'Looks at a journal, or makes a copy of it; the receiver that uses it goes on. Both copy the files, recover what was',
    'written last, and look at every page, every event’s checksum and what belongs together. A backup is one file,',
    'journal.db: to restore it, stop the receiver and put it into an empty data directory.',
    '',
    'copy moves an embedded journal into a PostgreSQL, or what has changed in it since the last copy: first a backup while',
    'the receiver goes on, then the rest once it has stopped. All that is written is read back and compared. A copy that',
    'was broken off goes on where it was.',
  ].join('\n'),
  options: [
    { name: 'data', value: 'DIR', help: `check, backup: where the journal lies. Default: ${DEFAULT_DATA}` },
    {
      name: 'to',
      value: 'DIR|URL',
      help: 'backup: a new or an empty directory. copy: postgres://…, empty or with an earlier copy.',
    },
    {
      name: 'scratch',
      value: 'DIR',
      help: 'Where check makes its copy, as large as the journal. Default: the data directory',
    },
    ...COPY_OPTIONS,
    OUTPUT_OPTION,
  ],
  examples: [
    'signalbox journal check --data /var/lib/signalbox',
    'signalbox journal backup --data /var/lib/signalbox --to /backup/2026-01-31',
    'signalbox journal copy --from /backup/2026-01-31 --to postgres://signalbox@db.example.com/signalbox',
    'signalbox journal copy --from /var/lib/signalbox --to postgres://signalbox@db.example.com/signalbox --answer :8080',
  ],
  exits: {
    [EXIT.ok]: 'nothing is wrong with it; the backup is complete; all of it was copied, and is the same',
    [EXIT.failed]: 'something is wrong, each finding is told; or it could not be read or copied',
    [EXIT.usage]: 'called wrongly',
  },
  async run(parsed, terminal): Promise<ExitCode> {
    const [name = '', ...more] = parsed.positionals;
    const action = ACTIONS.get(name);
    if (action === undefined || more.length > 0)
      throw new UsageError('journal needs one word for what to do: check, backup or copy.');
    return action(parsed, terminal);
  },
};

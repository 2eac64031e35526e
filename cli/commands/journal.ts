import type { Command } from '../command.ts';
import { EXIT, type ExitCode, UsageError } from '../exit-codes.ts';
import { COPY_OPTIONS, copy } from '../journal/copy.ts';
import { OUTPUT_OPTION } from '../output.ts';

/** `signalbox journal` */
export const journal: Command = {
  usage: ['journal copy --from DIR --to URL [options]'],
  about: [
    'Copies an embedded journal into a PostgreSQL, or what has changed in it since the last copy: first a backup while the',
    'receiver goes on, then the rest once it has stopped. All that is written is read back and compared. A copy that was',
    'broken off goes on where it was.',
  ].join('\n'),
  options: [
    { name: 'to', value: 'URL', help: 'postgres://user@host/database, empty or with an earlier copy.' },
    ...COPY_OPTIONS,
    OUTPUT_OPTION,
  ],
  examples: [
    'signalbox journal copy --from /backup/2026-01-31 --to postgres://signalbox@db.example.com/signalbox',
    'signalbox journal copy --from /var/lib/signalbox --to postgres://signalbox@db.example.com/signalbox --answer :8080',
  ],
  exits: {
    [EXIT.ok]: 'all of it was copied, and is the same',
    [EXIT.failed]: 'it could not be read or copied, or what was read back differs',
    [EXIT.usage]: 'called wrongly',
  },
  async run(parsed, terminal): Promise<ExitCode> {
    const [name, ...more] = parsed.positionals;
    if (name !== 'copy' || more.length > 0)
      throw new UsageError('journal needs one word for what to do: copy.');
    return copy(parsed, terminal);
  },
};

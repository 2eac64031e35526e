import { ADMIN_OPTIONS, AdminError, adminGet } from '../admin/client.ts';
import { type DecisionRecord, tellDecision } from '../admin/decision.ts';
import type { Command, Terminal } from '../command.ts';
import { CommandError, EXIT, UsageError } from '../exit-codes.ts';
import type { Parsed } from '../options.ts';
import { OUTPUT_OPTION, outputFormat } from '../output.ts';

/** `signalbox explain` */
export const explain: Command = {
  usage: ['explain EVENT [options]'],
  about: [
    'Tells what became of an event that a running receiver accepted: what proved it, who took it, each attempt to',
    'deliver it, and which clause of each other trigger says no. EVENT is its number as `signalbox events` lists it,',
    'or the CloudEvents id; of several events with one id the newest.',
  ].join('\n'),
  options: [...ADMIN_OPTIONS, OUTPUT_OPTION],
  examples: ['signalbox explain 42', 'signalbox explain evt-1 -o json | jq .triggers'],
  exits: {
    [EXIT.ok]: 'explained, whether anything took the event or not',
    [EXIT.failed]: 'there is no such event, or the token is wrong',
    [EXIT.usage]: 'called wrongly',
    [EXIT.unreachable]: 'no receiver reached',
  },
  async run(parsed, terminal) {
    const format = outputFormat(parsed);
    const [asked, ...more] = parsed.positionals;
    if (asked === undefined || asked === '' || more.length > 0)
      throw new UsageError('explain needs one event; give its number or its id.');
    const record = await find(asked, parsed, terminal);
    terminal.out(format === 'json' ? JSON.stringify(record) : tellDecision(record));
    return EXIT.ok;
  },
};

/** A number is tried first as the event's number: ids may be numbers too. */
async function find(asked: string, parsed: Parsed, terminal: Terminal): Promise<DecisionRecord> {
  if (/^\d{1,15}$/.test(asked)) {
    const record = await read(asked, parsed, terminal);
    if (record !== undefined) return record;
  }
  const { items } = (await adminGet('/api/events', { id: asked, limit: '1' }, parsed, terminal)) as {
    readonly items: readonly { readonly event: number }[];
  };
  const [newest] = items;
  const record = newest === undefined ? undefined : await read(String(newest.event), parsed, terminal);
  if (record !== undefined) return record;
  throw new CommandError(
    `There is no event ${asked}; \`signalbox events\` lists what was accepted, \`signalbox events --rejected\` what was not.`,
  );
}

async function read(event: string, parsed: Parsed, terminal: Terminal): Promise<DecisionRecord | undefined> {
  try {
    return (await adminGet(`/api/events/${event}`, {}, parsed, terminal)) as DecisionRecord;
  } catch (error) {
    if (error instanceof AdminError && error.status === 404) return undefined;
    throw error;
  }
}

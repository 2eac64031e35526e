import { ADMIN_OPTIONS, AdminError, adminGet } from '../admin/client.ts';
import { type DecisionRecord, tellDecision } from '../admin/decision.ts';
import { FILTERS } from '../admin/filters.ts';
import type { Command, Terminal } from '../command.ts';
import { CommandError, EXIT, UsageError } from '../exit-codes.ts';
import type { Parsed } from '../options.ts';
import { OUTPUT_OPTION, outputFormat } from '../output.ts';

/** `signalbox explain` */
export const explain: Command = {
  usage: ['explain EVENT [options]', 'explain -f PATH… FILE [options]'],
  about: [
    'Tells what became of an event that a running receiver accepted: what proved it, who took it, each attempt to',
    'deliver it, and which clause of each other trigger says no. EVENT is its number as `signalbox events` lists it,',
    'or the CloudEvents id; of several events with one id the newest.',
    'With -f it asks no receiver, and tells what manifests would make of the event in FILE: who would take it, by which',
    'clause the others say no, and the request that would be sent. FILE holds a CloudEvent in JSON, a batch of them, or a',
    'provider’s payload, which comes in by --entrance.',
  ].join('\n'),
  options: [
    FILTERS.source,
    ...ADMIN_OPTIONS,
    {
      name: 'file',
      short: 'f',
      value: 'PATH',
      multiple: true,
      help: 'Manifests, or folders of them: tell what they would do.',
    },
    {
      name: 'entrance',
      value: 'NAME',
      help: 'With -f: where the event comes in, for example WebhookSecret/shop/stripe. Default: anywhere',
    },
    {
      name: 'header',
      short: 'H',
      value: 'NAME:VALUE',
      multiple: true,
      help: 'With -f: a header that comes with it, for example X-GitHub-Event: push; may be given again.',
    },
    {
      name: 'resolve',
      value: 'REF=URL',
      multiple: true,
      help: 'With -f: where a target `ref` leads, kind/namespace/name=URL; may be given again.',
    },
    OUTPUT_OPTION,
  ],
  examples: [
    'signalbox explain 42',
    'signalbox explain evt-1 --source /shop -o json | jq .triggers',
    'signalbox explain -f examples/quickstart.yaml examples/events/order-paid-cloudevent.json',
    "signalbox explain -f examples/github-to-build.yaml -H 'X-GitHub-Event: push' examples/events/github-push.json",
  ],
  exits: {
    [EXIT.ok]: 'explained, whether anything takes the event or not',
    [EXIT.failed]:
      'there is no such event, it would be refused, nothing in the files can run, or the token is wrong',
    [EXIT.usage]: 'called wrongly',
    [EXIT.unreachable]: 'no receiver reached',
  },
  async run(parsed, terminal) {
    const offline = parsed.list('file').length > 0;
    refuseStray(parsed, offline);
    if (offline) {
      const { explainOffline } = await import('../offline/explain-offline.ts');
      return explainOffline(parsed, terminal);
    }
    const format = outputFormat(parsed);
    const [asked, ...more] = parsed.positionals;
    if (asked === undefined || asked === '' || more.length > 0)
      throw new UsageError('explain needs one event; give its number or its id.');
    const record = await find(asked, parsed, terminal);
    terminal.out(format === 'json' ? JSON.stringify(record) : tellDecision(record));
    return EXIT.ok;
  },
};

const WITH_FILES = ['entrance', 'header', 'resolve'] as const;
const WITH_RECEIVER = ['source', 'admin', 'data'] as const;

/** An option of the other way to call it would be ignored, and the answer another than the one that was asked for. */
function refuseStray(parsed: Parsed, offline: boolean): void {
  const stray = (offline ? WITH_RECEIVER : WITH_FILES).find((name) => parsed.list(name).length > 0);
  if (stray !== undefined)
    throw new UsageError(`--${stray} ${offline ? 'does not go with -f; leave it out' : 'needs -f'}.`);
}

/** A number is tried first as the event's number, but where a source tells that it is an id. */
async function find(asked: string, parsed: Parsed, terminal: Terminal): Promise<DecisionRecord> {
  const source = parsed.text('source');
  if (source === undefined && /^\d{1,15}$/.test(asked)) {
    const record = await read(asked, parsed, terminal);
    if (record !== undefined) return record;
  }
  const query = { id: asked, limit: '1', ...(source === undefined ? {} : { source }) };
  const { items } = (await adminGet('/api/events', query, parsed, terminal)) as {
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

import type { InstanceItem, InstanceRecord } from '../../receiver/http/instances.ts';
import { ADMIN_OPTIONS, AdminError, adminGet, adminPost } from '../admin/client.ts';
import { tellInstance } from '../admin/instance.ts';
import type { Command, Terminal } from '../command.ts';
import { CommandError, EXIT, UsageError } from '../exit-codes.ts';
import type { Parsed } from '../options.ts';
import { OUTPUT_OPTION, outputFormat } from '../output.ts';

/** What an operator's hand did. */
const HANDS: Readonly<Record<string, (item: InstanceItem) => string>> = {
  retry: ({ id, step }) => `Instance ${id}: the step ${step ?? ''} is tried again.`,
  skip: ({ id, step, status }) =>
    step === undefined ? `Instance ${id} is ${status}.` : `Instance ${id} went on to the step ${step}.`,
  cancel: ({ id }) => `Instance ${id} is cancelled.`,
};

/** `signalbox instance` */
export const instance: Command = {
  usage: ['instance ID [options]', 'instance retry|skip|cancel ID [options]'],
  about: [
    'Tells the history of an instance of a value stream: what started it, what each step waited for, sent and was',
    'answered. retry tries the step again that it is blocked at, skip passes over the step that it is blocked or waits',
    'at, cancel ends it. IDs are listed by `signalbox instances`.',
  ].join('\n'),
  options: [...ADMIN_OPTIONS, OUTPUT_OPTION],
  examples: [
    'signalbox instance 5f0c7a1e9b3d4c2a8e6f1b0d7c9a2e4f',
    'signalbox instance retry 5f0c7a1e9b3d4c2a8e6f1b0d7c9a2e4f',
  ],
  exits: {
    [EXIT.ok]: 'shown, or done',
    [EXIT.failed]: 'there is no such instance, it is in no state for that, or the token is wrong',
    [EXIT.usage]: 'called wrongly',
    [EXIT.unreachable]: 'no receiver reached',
  },
  async run(parsed, terminal) {
    const format = outputFormat(parsed);
    const [first, second, ...more] = parsed.positionals;
    const action = first !== undefined && Object.hasOwn(HANDS, first) ? first : undefined;
    const id = action === undefined ? first : second;
    if (id === undefined || id === '' || more.length > 0 || (action === undefined && second !== undefined))
      throw new UsageError('instance needs one id, after retry, skip or cancel where it is to be moved on.');
    if (action === undefined) {
      const record = (await asked(id, () =>
        adminGet(`/api/instances/${encodeURIComponent(id)}`, {}, parsed, terminal),
      )) as InstanceRecord;
      terminal.out(format === 'json' ? JSON.stringify(record) : tellInstance(record));
      return EXIT.ok;
    }
    const item = await moved(id, action, parsed, terminal);
    terminal.out(format === 'json' ? JSON.stringify(item) : (HANDS[action]?.(item) ?? ''));
    return EXIT.ok;
  },
};

function moved(id: string, action: string, parsed: Parsed, terminal: Terminal): Promise<InstanceItem> {
  const path = `/api/instances/${encodeURIComponent(id)}`;
  return asked(id, () => adminPost(path, { action }, parsed, terminal)) as Promise<InstanceItem>;
}

async function asked(id: string, ask: () => Promise<unknown>): Promise<unknown> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof AdminError && error.status === 404)
      throw new CommandError(
        `There is no instance ${id}; \`signalbox instances\` lists those that there are.`,
      );
    throw error;
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { RedrivePage } from '../../receiver/deliver/redrive.ts';
import { ADMIN_OPTIONS, adminPost } from '../admin/client.ts';
import { FILTERS, type FilterName, filterValue } from '../admin/filters.ts';
import {
  addPage,
  isPartial,
  NOTHING_REDRIVEN,
  type RedriveTally,
  tellTally,
} from '../admin/redrive-tally.ts';
import type { Command, Terminal } from '../command.ts';
import { EXIT, type ExitCode, UsageError } from '../exit-codes.ts';
import type { Parsed } from '../options.ts';
import { OUTPUT_OPTION, outputFormat } from '../output.ts';

const FILTER_NAMES: readonly FilterName[] = ['trigger', 'type', 'source', 'id', 'since', 'until'];
/** Dead letters of one call; with --rate as many as a second takes. */
const PAGE = 500;

/** `signalbox redrive` */
export const redrive: Command = {
  usage: ['redrive DELIVERY… [options]', 'redrive --trigger NAME [options]', 'redrive --all [options]'],
  about: [
    'Brings dead letters of a running receiver back: they are due again, with the same idempotency key and their attempts',
    'counted anew. Names them by number, as `signalbox dead-letters` lists them, or by filters; of a page the oldest goes',
    'first. Ctrl-C stops after the page under way.',
  ].join('\n'),
  options: [
    ...FILTER_NAMES.map((name) => FILTERS[name]),
    { name: 'all', help: 'Every dead letter there is.' },
    { name: 'dry-run', help: 'Only tell what would be brought back.' },
    { name: 'rate', value: 'N', help: 'How many become due in a second. Default: all at once' },
    ...ADMIN_OPTIONS,
    OUTPUT_OPTION,
  ],
  examples: [
    'signalbox redrive 1042 1043',
    'signalbox redrive --trigger shop/fulfil-payment --since 2h --dry-run',
    'signalbox redrive --all --rate 50',
  ],
  exits: {
    [EXIT.ok]: 'all that was named is due again, or would be',
    [EXIT.failed]:
      'nothing fits, or some of it could not be brought back: gone, not dead, or without its EventTrigger',
    [EXIT.usage]: 'called wrongly',
    [EXIT.unreachable]: 'no receiver reached',
  },
  async run(parsed, terminal) {
    const format = outputFormat(parsed);
    const { tally, whole } = await inPages(wantedBy(parsed), parsed, terminal);
    const dryRun = parsed.flag('dry-run');
    if (format === 'json') terminal.out(JSON.stringify({ dryRun, stopped: !whole, ...tally }));
    else tell(tally, { dryRun, whole, terminal });
    return exitOf(tally, whole);
  },
};

type Wanted = { readonly ids: readonly number[] } | { readonly filter: object };

/** The dead letters that the call names. */
function wantedBy(parsed: Parsed): Wanted {
  const ids = parsed.positionals.map(numberOf);
  const filter: Record<string, string> = {};
  for (const name of FILTER_NAMES) {
    const value = filterValue(name, parsed, Date.now());
    if (value !== undefined) filter[name] = value;
  }
  const ways = [ids.length > 0, Object.keys(filter).length > 0, parsed.flag('all')].filter(Boolean).length;
  if (ways !== 1)
    throw new UsageError('redrive needs deliveries’ numbers, or filters, or --all: one of the three.');
  if (ids.length > 0) return { ids };
  return { filter: parsed.flag('all') ? { all: true } : filter };
}

function numberOf(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new UsageError(
    `${text} is no delivery’s number; \`signalbox dead-letters\` lists them. An event's id goes after --id.`,
  );
}

function rateOf(parsed: Parsed): number | undefined {
  const text = parsed.text('rate');
  if (text === undefined) return undefined;
  const rate = Number(text);
  if (rate > 0 && rate <= 100_000) return rate;
  throw new UsageError(`--rate ${text} is no rate; write how many in a second, for example --rate 50.`);
}

/** Asks for page after page, at the rate that is wanted, until there is no more or the person stops it. */
async function inPages(
  wanted: Wanted,
  parsed: Parsed,
  terminal: Terminal,
): Promise<{ readonly tally: RedriveTally; readonly whole: boolean }> {
  const rate = rateOf(parsed);
  const which = pages(wanted, rate === undefined ? PAGE : Math.min(PAGE, Math.ceil(rate)));
  const how = { dryRun: parsed.flag('dry-run'), ...(rate === undefined ? {} : { perSecond: rate }) };
  let tally = NOTHING_REDRIVEN;
  for (let asked = which(undefined); asked !== undefined; ) {
    const page = (await adminPost('/api/redrive', { ...asked, ...how }, parsed, terminal)) as RedrivePage;
    tally = addPage(tally, page);
    asked = which(page);
    if (asked === undefined) break;
    terminal.progress?.(`${tally.redriven} so far …`);
    await sleep(how.dryRun ? 0 : page.waitMs, undefined, { signal: terminal.stop }).catch(() => {});
    if (terminal.stop.aborted) return { tally, whole: false };
  }
  terminal.progress?.('');
  return { tally, whole: true };
}

/** The part of a call that says which dead letters, after the page before; undefined: there are no more. */
function pages(wanted: Wanted, size: number): (before: RedrivePage | undefined) => object | undefined {
  if ('ids' in wanted) {
    let rest = wanted.ids;
    return () => {
      const ids = rest.slice(0, size);
      rest = rest.slice(size);
      return ids.length === 0 ? undefined : { ids };
    };
  }
  const first = { ...wanted.filter, limit: size };
  return (before) => {
    if (before === undefined) return first;
    return before.next === undefined ? undefined : { ...first, cursor: before.next };
  };
}

function tell(
  tally: RedriveTally,
  {
    dryRun,
    whole,
    terminal,
  }: { readonly dryRun: boolean; readonly whole: boolean; readonly terminal: Terminal },
): void {
  if (tally.redriven === 0 && !isPartial(tally)) {
    terminal.err('No dead letter fits; `signalbox dead-letters` lists those that there are.');
    return;
  }
  for (const line of tellTally(tally, dryRun)) terminal.out(line);
  if (!whole) terminal.err('Stopped before the end; the same call goes on with the rest.');
}

function exitOf(tally: RedriveTally, whole: boolean): ExitCode {
  return whole && tally.redriven > 0 && !isPartial(tally) ? EXIT.ok : EXIT.failed;
}

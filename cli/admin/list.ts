import { columns } from '../columns.ts';
import type { Command, Terminal } from '../command.ts';
import { EXIT, UsageError } from '../exit-codes.ts';
import type { Option, Parsed } from '../options.ts';
import { OUTPUT_OPTION, outputFormat } from '../output.ts';
import { ADMIN_OPTIONS, adminGet } from './client.ts';
import { FILTERS, type FilterName, filterValue } from './filters.ts';

/** One list of the admin API, as a command shows it. */
export interface ListView<Row> {
  readonly name: string;
  readonly about: string;
  /** `/api/events` */
  readonly path: string;
  /** Which of the API's filters it takes. */
  readonly filters: readonly FilterName[];
  readonly example: string;
  readonly header: readonly string[];
  readonly row: (row: Row) => readonly string[];
  /** What is said where there is nothing. */
  readonly none: string;
}

const PAGING: readonly Option[] = [
  { name: 'limit', value: 'N', help: 'How many at most, 1 to 1000. Default: 100' },
  { name: 'cursor', value: 'CURSOR', help: 'Go on where the last page ended.' },
];

interface Page<Row> {
  readonly items: readonly Row[];
  readonly next?: string;
}

/** Another list of the same command, which a flag asks for instead. */
export interface OtherView<Row>
  extends Pick<ListView<Row>, 'path' | 'filters' | 'example' | 'header' | 'row' | 'none'> {
  readonly flag: Option;
}

/** Makes the command that shows a list: a table for people, the API's own page with `-o json`. */
export function listCommand<Row, Other = never>(view: ListView<Row>, other?: OtherView<Other>): Command {
  const filters = new Set([...view.filters, ...(other?.filters ?? [])]);
  const options = [...[...filters].map((name) => FILTERS[name]), ...PAGING];
  return {
    usage: [`${view.name} [options]`],
    about: view.about,
    options: [...options, ...(other === undefined ? [] : [other.flag]), ...ADMIN_OPTIONS, OUTPUT_OPTION],
    examples: [`signalbox ${view.name}`, view.example, ...(other === undefined ? [] : [other.example])],
    exits: {
      [EXIT.ok]: 'shown, even where there is nothing',
      [EXIT.failed]: 'refused: wrong token or filter',
      [EXIT.usage]: 'called wrongly',
      [EXIT.unreachable]: 'no receiver reached',
    },
    async run(parsed, terminal) {
      if (other !== undefined && parsed.flag(other.flag.name)) await show(other, options, parsed, terminal);
      else await show(view, options, parsed, terminal);
      return EXIT.ok;
    },
  };
}

type Shown<Row> = Pick<ListView<Row>, 'path' | 'filters' | 'header' | 'row' | 'none'>;

async function show<Row>(
  view: Shown<Row>,
  options: readonly Option[],
  parsed: Parsed,
  terminal: Terminal,
): Promise<void> {
  const format = outputFormat(parsed);
  const taken: readonly Option[] = [...view.filters.map((name) => FILTERS[name]), ...PAGING];
  const query: Record<string, string> = {};
  for (const option of options) {
    const value = filterValue(option.name, parsed, Date.now());
    if (value === undefined) continue;
    // A filter that is ignored would show more than was asked for.
    if (!taken.includes(option))
      throw new UsageError(`--${option.name} does not go with this list; leave it out.`);
    query[option.name] = value;
  }
  const page = (await adminGet(view.path, query, parsed, terminal)) as Page<Row>;
  terminal.out(format === 'json' ? JSON.stringify(page) : table(page, view));
}

function table<Row>(page: Page<Row>, view: Shown<Row>): string {
  if (page.items.length === 0) return view.none;
  const lines = columns([view.header, ...page.items.map(view.row)]);
  return page.next === undefined ? lines : `${lines}\nMore: --cursor ${page.next}`;
}

/** `2026-01-31 12:00:00` in local time. */
export function shownTime(ms: number): string {
  const time = new Date(ms);
  return `${time.toLocaleDateString('sv')} ${time.toTimeString().slice(0, 8)}`;
}

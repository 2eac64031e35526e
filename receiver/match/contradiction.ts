import type { Filter } from '../routing/table.ts';

/** What filters that must all match ask of one attribute. */
interface Asked {
  readonly dialect: 'exact' | 'prefix' | 'suffix' | 'not exact';
  readonly value: string;
}

/**
 * Why no event can meet all of these filters, in one sentence; undefined where none of the simple reasons holds. It
 * looks at exact, prefix, suffix, all and not exact; what any, cesql and deeper nots say is not worked out.
 */
export function contradictionIn(filters: readonly Filter[]): string | undefined {
  const byAttribute = new Map<string, Asked[]>();
  for (const filter of filters) collect(filter, byAttribute);
  for (const [attribute, asked] of byAttribute) {
    for (const [i, one] of asked.entries()) {
      const other = asked.slice(i + 1).find((next) => excludes(one, next) || excludes(next, one));
      if (other !== undefined)
        return `can never match: ${attribute} would have to be ${tell(one)} and ${tell(other)}`;
    }
  }
  return undefined;
}

function collect(filter: Filter, into: Map<string, Asked[]>): void {
  for (const dialect of ['exact', 'prefix', 'suffix'] as const) note(filter[dialect], dialect, into);
  note(filter.not?.exact, 'not exact', into);
  for (const nested of filter.all ?? []) collect(nested, into);
}

function note(
  values: Readonly<Record<string, string>> | undefined,
  dialect: Asked['dialect'],
  into: Map<string, Asked[]>,
): void {
  const entries = Object.entries(values ?? {});
  // Of several attributes a `not` asks only that one of them differs.
  if (dialect === 'not exact' && entries.length > 1) return;
  for (const [attribute, value] of entries) {
    const asked = into.get(attribute) ?? [];
    asked.push({ dialect, value });
    into.set(attribute, asked);
  }
}

/** Whether what `one` asks leaves nothing that `other` takes. */
function excludes(one: Asked, other: Asked): boolean {
  if (one.dialect === 'exact') return !takes(other, one.value);
  if (one.dialect === 'prefix' && other.dialect === 'prefix')
    return !one.value.startsWith(other.value) && !other.value.startsWith(one.value);
  if (one.dialect === 'suffix' && other.dialect === 'suffix')
    return !one.value.endsWith(other.value) && !other.value.endsWith(one.value);
  return false;
}

const TAKES: Readonly<Record<Asked['dialect'], (text: string, value: string) => boolean>> = {
  exact: (text, value) => text === value,
  prefix: (text, value) => text.startsWith(value),
  suffix: (text, value) => text.endsWith(value),
  'not exact': (text, value) => text !== value,
};

function takes({ dialect, value }: Asked, text: string): boolean {
  return TAKES[dialect](text, value);
}

const WORDS: Readonly<Record<Asked['dialect'], string>> = {
  exact: '',
  prefix: 'something that begins with ',
  suffix: 'something that ends with ',
  'not exact': 'something other than ',
};

function tell({ dialect, value }: Asked): string {
  return `${WORDS[dialect]}${JSON.stringify(value)}`;
}

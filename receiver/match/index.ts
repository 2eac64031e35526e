import type { CloudEvent } from '../event/event.ts';
import type { Anchor, Matcher } from './matcher.ts';

/** Something that an index finds by its matcher; `key` gives the order of what is found. */
export interface Indexed {
  readonly key: string;
  readonly matcher: Matcher & { readonly anchors?: readonly Anchor[] };
}

/** Finds which of many triggers an event meets, without asking each of them. */
export interface Index<T> {
  /** What the event matches, in the order of keys. */
  match(event: CloudEvent): readonly T[];
  readonly size: number;
}

/** Positions in the order of keys, by an attribute's exact value or by a prefix of it. */
interface Shelf {
  readonly attribute: string;
  readonly exact: Map<string, number[]>;
  /** By the prefix's length, so that a value is cut once for each length in use. */
  readonly prefixes: Map<number, Map<string, number[]>>;
  /** What was found for values seen of late. */
  readonly known: Map<string, readonly number[]>;
}

const NONE: readonly number[] = [];
/** Values that a shelf remembers; then it begins anew. */
const MAX_KNOWN = 1024;
/** A longer value is looked up anew each time: its sender chooses how much memory it would keep. */
const LONGEST_KNOWN = 256;

/**
 * Builds an index. Each item is filed under one anchor, the one that fewest others share; what has none is asked each
 * time. The cost of a match grows with the items whose anchor the event meets, not with all of them.
 */
export function buildIndex<T extends Indexed>(items: readonly T[]): Index<T> {
  const ordered = inOrder(items);
  const shares = countShares(ordered);
  const shelves = new Map<string, Shelf>();
  const rest: number[] = [];
  ordered.forEach((item, position) => {
    const anchor = rarest(anchorsOf(item), shares);
    if (anchor === undefined) rest.push(position);
    else file(shelves, anchor, position);
  });
  const all = [...shelves.values()];

  /** Ascending; a position may come twice where several lists hold it. */
  function found(event: CloudEvent): readonly number[] {
    let positions: readonly number[] = rest;
    for (const shelf of all) {
      const value = event.attributes[shelf.attribute];
      const more = value === undefined ? NONE : onShelf(shelf, value);
      if (more.length === 0) continue;
      positions = positions.length === 0 ? more : merged(positions, more);
    }
    return positions;
  }

  // Beside the items: one that says no is not looked at further.
  const matchers = ordered.map((item) => item.matcher);

  return {
    match(event) {
      const taken: T[] = [];
      let last = -1;
      for (const position of found(event)) {
        if (position === last) continue;
        last = position;
        const item = matchers[position]?.matches(event) === true ? ordered[position] : undefined;
        if (item !== undefined) taken.push(item);
      }
      return taken;
    },
    size: ordered.length,
  };
}

/** Two ascending lists as one. */
function merged(one: readonly number[], other: readonly number[]): readonly number[] {
  const all: number[] = [];
  let i = 0;
  for (const position of other) {
    for (let before = one[i]; before !== undefined && before <= position; before = one[++i]) all.push(before);
    all.push(position);
  }
  for (; i < one.length; i++) all.push(one[i] ?? 0);
  return all;
}

function ascending(a: number, b: number): number {
  return a - b;
}

/** Keys are compared as the tables that hold them are written: by code unit. A list in order is taken as it is. */
function inOrder<T extends Indexed>(items: readonly T[]): readonly T[] {
  const sorted = items.every((item, i) => i === 0 || (items[i - 1]?.key ?? '') <= item.key);
  if (sorted) return items;
  return items.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

function anchorsOf({ matcher }: Indexed): readonly Anchor[] {
  if (matcher.anchors !== undefined) return matcher.anchors;
  return matcher.anchor === undefined ? [] : [matcher.anchor];
}

type Shares = Map<string, Map<string, number>>;

function shelfName(anchor: Anchor): string {
  return `${anchor.dialect} ${anchor.attribute}`;
}

/** How many items each value of each anchor would be shared by. */
function countShares(items: readonly Indexed[]): Shares {
  const shares: Shares = new Map();
  for (const item of items) {
    for (const anchor of anchorsOf(item)) {
      const name = shelfName(anchor);
      let counts = shares.get(name);
      if (counts === undefined) shares.set(name, (counts = new Map()));
      for (const value of anchor.values) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
  }
  return shares;
}

/** The anchor that fewest share; where several do, an exact one rather than a prefix, which longer values meet too. */
function rarest(anchors: readonly Anchor[], shares: Shares): Anchor | undefined {
  let best: Anchor | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const anchor of anchors) {
    const counts = shares.get(shelfName(anchor));
    let share = anchor.dialect === 'exact' ? 0 : 0.5;
    for (const value of anchor.values) share += counts?.get(value) ?? 0;
    if (share < least) {
      best = anchor;
      least = share;
    }
  }
  return best;
}

function file(shelves: Map<string, Shelf>, anchor: Anchor, position: number): void {
  const { attribute } = anchor;
  let shelf = shelves.get(attribute);
  if (shelf === undefined)
    shelves.set(attribute, (shelf = { attribute, exact: new Map(), prefixes: new Map(), known: new Map() }));
  for (const value of anchor.values) {
    if (anchor.dialect === 'exact') add(shelf.exact, value, position);
    else add(ofLength(shelf.prefixes, value.length), value, position);
  }
}

function ofLength(prefixes: Map<number, Map<string, number[]>>, length: number): Map<string, number[]> {
  let bucket = prefixes.get(length);
  if (bucket === undefined) prefixes.set(length, (bucket = new Map()));
  return bucket;
}

function add(lists: Map<string, number[]>, value: string, position: number): void {
  const list = lists.get(value);
  if (list === undefined) lists.set(value, [position]);
  else list.push(position);
}

/** Where a value's items are, in order. Looking through prefixes is remembered: types and sources come again. */
function onShelf(shelf: Shelf, value: string): readonly number[] {
  const exactly = shelf.exact.get(value) ?? NONE;
  if (shelf.prefixes.size === 0) return exactly;
  const known = shelf.known.get(value);
  if (known !== undefined) return known;
  const positions = exactly.slice();
  for (const [length, bucket] of shelf.prefixes) {
    const list = length <= value.length ? bucket.get(value.slice(0, length)) : undefined;
    if (list !== undefined) positions.push(...list);
  }
  positions.sort(ascending);
  if (value.length > LONGEST_KNOWN) return positions;
  if (shelf.known.size >= MAX_KNOWN) shelf.known.clear();
  shelf.known.set(value, positions);
  return positions;
}

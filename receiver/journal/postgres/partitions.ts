import type pg from 'pg';
import type { Queries } from './queries.ts';

/** Ids of one partition: its number in the high bits. 2^36 ids a partition, 2^53 in all. */
const SPAN = 2 ** 36;
/** How many ids one `nextval` takes. */
const BLOCK = 256;
/** Ids that were taken and not used for so long are let go: what comes later must have higher ones. */
const STALE_MS = 1000;

/** A span of time whose events and delivered deliveries lie in tables of their own. */
export interface Part {
  readonly id: number;
  readonly opened: number;
  /** Everything in it was received before. */
  readonly until: number;
  /** Whether ids are noted in it; one that a receiver of an earlier version has made has no place for them yet. */
  readonly noted: boolean;
}

/** Which partition an id lies in. */
export function partOf(id: number): number {
  return Math.floor(id / SPAN);
}

/** The first id of a partition, and the one after its last. */
export function boundsOf(part: number): { readonly first: number; readonly end: number } {
  return { first: part * SPAN, end: (part + 1) * SPAN };
}

/** The partitions that can be written, as this session knows them, and ids in the newest. */
export interface Partitions {
  /** The partition for what was received at `at`; made where there is none. */
  current(on: Queries, at: number): Promise<Part>;
  /** `count` ids one after the other, higher than all before. */
  ids(on: Queries, part: Part, kind: IdKind, count: number): Promise<number>;
  /** Whether what was delivered of an id goes to its partition. */
  isOpen(id: number): boolean;
  /** Something was not as this session knew it. */
  refresh(on: Queries): Promise<void>;
}

type IdKind = 'event' | 'delivery';

/** Makes an empty cache. `clock`: monotonic milliseconds. */
export function createPartitions(periodMs: number, clock: () => number): Partitions {
  let open = new Map<number, Part>();
  let newest: Part | undefined;
  const taken: Record<IdKind, { part: number; next: number; end: number; at: number }> = {
    event: { part: -1, next: 0, end: 0, at: 0 },
    delivery: { part: -1, next: 0, end: 0, at: 0 },
  };

  async function refresh(on: Queries): Promise<void> {
    const { rows } = await on.query({
      text: `SELECT id, opened, until, to_regclass('signalbox.id_block_' || id) IS NOT NULL AS noted
        FROM part WHERE NOT closed ORDER BY id`,
    });
    open = new Map((rows as Part[]).map((part) => [part.id, part]));
    newest = (rows as Part[]).at(-1);
  }

  const newestFor = (at: number): Part | undefined =>
    newest !== undefined && at < newest.until && newest.noted ? newest : undefined;

  async function make(on: Queries, at: number): Promise<void> {
    // One at a time, and all or nothing; whoever comes second finds what the first one made.
    await on.query({
      text: `DO $$ DECLARE p int; BEGIN
      LOCK TABLE signalbox.part IN SHARE ROW EXCLUSIVE MODE;
      SELECT id INTO p FROM signalbox.part WHERE NOT closed AND until > ${at}
        AND id = (SELECT max(id) FROM signalbox.part);
      IF p IS NOT NULL THEN
        IF to_regclass('signalbox.id_block_' || p) IS NULL THEN ${makeTable('id_block', 'first')} END IF;
        RETURN;
      END IF;
      p := nextval('signalbox.part_number');
      ${makeTable('event', 'id')}
      ${makeTable('done', 'id')}
      ${makeTable('id_block', 'first')}
      EXECUTE format('CREATE SEQUENCE signalbox.event_%s_id INCREMENT ${BLOCK} MINVALUE %s', p, ${FIRST});
      EXECUTE format('CREATE SEQUENCE signalbox.delivery_%s_id INCREMENT ${BLOCK} MINVALUE %s', p, ${FIRST});
      INSERT INTO signalbox.part VALUES (p, ${at}, ${at + periodMs});
      END $$`,
    });
  }

  async function current(on: Queries, at: number): Promise<Part> {
    const known = newestFor(at);
    if (known !== undefined) return known;
    await refresh(on);
    if (newestFor(at) === undefined) {
      await make(on, at);
      await refresh(on);
    }
    if (newest === undefined) throw new Error('the journal has no partition to write to');
    return newest;
  }

  async function more(on: Queries, part: Part, kind: IdKind, count: number): Promise<void> {
    const blocks = Math.ceil(count / BLOCK);
    const { rows } = await on.query({
      text: `SELECT nextval('${kind}_${part.id}_id') AS first FROM generate_series(1, ${blocks})`,
    });
    const firsts = (rows as { first: string }[]).map(({ first }) => Number(first));
    const next = firsts[0] ?? 0;
    // Another session may have taken a block between.
    if (firsts.some((first, i) => first !== next + i * BLOCK)) return more(on, part, kind, count);
    taken[kind] = { part: part.id, next, end: next + blocks * BLOCK, at: clock() };
  }

  return {
    current,
    async ids(on, part, kind, count) {
      const block = taken[kind];
      const fits = block.part === part.id && block.end - block.next >= count && clock() - block.at < STALE_MS;
      if (!fits) await more(on, part, kind, count);
      const first = taken[kind].next;
      taken[kind].next += count;
      return first;
    },
    isOpen: (id) => open.has(partOf(id)),
    refresh,
  };
}

const FIRST = `greatest(p::bigint * ${SPAN}, 1)`;

/** A partition is made apart and attached: that needs no lock which writers would wait for. */
function makeTable(table: string, key: string): string {
  return `EXECUTE format('CREATE TABLE signalbox.${table}_%s (LIKE signalbox.${table} INCLUDING ALL,
      CONSTRAINT span CHECK (${key} >= %s AND ${key} < %s))', p, p::bigint * ${SPAN}, (p + 1)::bigint * ${SPAN});
    EXECUTE format('ALTER TABLE signalbox.${table} ATTACH PARTITION signalbox.${table}_%s FOR VALUES FROM (%s) TO (%s)',
      p, p::bigint * ${SPAN}, (p + 1)::bigint * ${SPAN});`;
}

/** Closes a partition: from then on nothing is written to it. Writers that knew it as open are refused and look again. */
export async function closePart(client: pg.ClientBase, part: number): Promise<void> {
  await client.query(`BEGIN; SET LOCAL lock_timeout = 500; UPDATE part SET closed = true WHERE id = ${part};
    ALTER TABLE event_${part} ADD CONSTRAINT closed CHECK (false) NOT VALID;
    ALTER TABLE done_${part} ADD CONSTRAINT closed CHECK (false) NOT VALID; COMMIT`);
}

import type { StateRow } from '../journal/journal.ts';
import { contentHash } from '../routing/pinned-shape.ts';
import { dueOf, expiryOf } from './draft.ts';
import type { Instance } from './instance.ts';
import type { Arrived } from './kept.ts';
import type { Stream } from './stream.ts';

/** The kinds of rows that value streams keep in the journal. */
export type Kind = 'instance' | 'key' | 'stream';

/** What a correlation key, or a job's id, stands for. */
export interface KeyBody {
  /** The instance that has it, or had it last. */
  readonly instance?: string;
  /** What came before any instance had it. */
  readonly held: readonly Arrived[];
}

/** A write before it is known which version of its row it goes by. */
export type RowChange = Omit<StateRow, 'version' | 'createdAt' | 'changedAt'> & { readonly at: number };

/** Longest row id, in bytes. */
const MAX_ID = 512;

/** The row of a correlation key; a long key goes by its hash. */
export function keyId(trigger: string, key: string): string {
  const id = `${trigger}\n${key}`;
  return Buffer.byteLength(id) <= MAX_ID ? id : `${trigger}\n\0${contentHash(key)}`;
}

/** The row by which the end of a job finds the instance that waits for it. */
export function jobId(trigger: string, entrance: string, job: string): string {
  return `${trigger}\n\0job ${contentHash(`${entrance}\n${job}`)}`;
}

/** The row that keeps the text of a stream which instances run. */
export function streamId(trigger: string, hash: string): string {
  return `${trigger}\n${hash}`;
}

/** An instance as its row says. */
export function instanceIn(row: Pick<StateRow, 'body'>): Instance {
  return JSON.parse(row.body) as Instance;
}

export function instanceRow(stream: Stream, instance: Instance, at: number): RowChange {
  return withoutUndefined({
    kind: 'instance',
    id: instance.id,
    at,
    owner: instance.trigger,
    status: instance.status,
    body: JSON.stringify(instance),
    due: dueOf(stream, instance),
    expiresAt: expiryOf(instance),
  });
}

export function keyIn(row: Pick<StateRow, 'body'>): KeyBody {
  return JSON.parse(row.body) as KeyBody;
}

/** The key of an instance: held as long as it runs, and for a while after. */
export function boundKeyRow(
  id: string,
  instance: Pick<Instance, 'id' | 'trigger' | 'endedAt'>,
  keptMs: number,
  at: number,
): RowChange {
  const { trigger, endedAt } = instance;
  return withoutUndefined({
    kind: 'key',
    id,
    at,
    owner: trigger,
    status: endedAt === undefined ? 'Bound' : 'Ended',
    body: JSON.stringify({ instance: instance.id, held: [] } satisfies KeyBody),
    due: undefined,
    expiresAt: endedAt === undefined ? undefined : endedAt + keptMs,
  });
}

/** A key that no instance has yet, with what waits for one. */
export function heldKeyRow(
  id: string,
  trigger: string,
  held: readonly Arrived[],
  {
    at,
    retentionMs,
    lapses,
  }: { readonly at: number; readonly retentionMs: number; readonly lapses: boolean },
): RowChange {
  const until = Math.min(...held.map((arrived) => arrived.at)) + retentionMs;
  return withoutUndefined({
    kind: 'key',
    id,
    at,
    owner: trigger,
    status: 'Held',
    body: JSON.stringify({ held } satisfies KeyBody),
    // What nobody may ever want goes without a word.
    due: lapses ? undefined : until,
    expiresAt: lapses ? until : undefined,
  });
}

function withoutUndefined(
  change: Omit<RowChange, 'due' | 'expiresAt'> & { due: number | undefined; expiresAt: number | undefined },
): RowChange {
  const { due, expiresAt, ...rest } = change;
  return {
    ...rest,
    ...(due === undefined ? {} : { due }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Journal } from '../../receiver/journal/journal.ts';
import { commit, unit } from '../../receiver/journal/journal-testing.ts';
import { openSqliteJournal } from '../../receiver/journal/sqlite/sqlite-journal.ts';

const AT = 1_800_000_000_000;

/** What a killed process had told before it died. */
export interface Told {
  /** Event and deliveries by key. */
  readonly committed: ReadonlyMap<string, readonly [event: number, ...deliveries: number[]]>;
  readonly settled: ReadonlySet<number>;
}

/** What was found wrong with a journal; empty: nothing. */
export type Losses = string[];

/** Loads a journal in a process of its own and kills that, with no warning, once it has acknowledged `after` units. */
export async function killUnderLoad(directory: string, round: number, after: number): Promise<Told> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'load-journal.ts'), directory, String(round)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let text = '';
  let lines = 0;
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
    lines += piece.split('\n').length - 1;
    if (lines >= after) child.kill('SIGKILL');
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== null) throw new Error(`the loading process ended by itself with ${code}`);
  return toldBy(text);
}

/** What a loading process has told so far. Whole lines only: the last one may be torn. */
export function toldBy(text: string): Told {
  const committed = new Map<string, [number, ...number[]]>();
  const settled = new Set<number>();
  for (const line of text.slice(0, text.lastIndexOf('\n') + 1).split('\n')) {
    const [kind, first = '', ...rest] = line.split(' ');
    if (kind === 'c') committed.set(first, rest.map(Number) as [number, ...number[]]);
    if (kind === 's') settled.add(Number(first));
  }
  return { committed, settled };
}

/** Opens the journal after a kill and says what of the told is missing, torn, forgotten or stuck. */
export async function lossesOf(directory: string, { committed, settled }: Told): Promise<Losses> {
  const journal = await openSqliteJournal({ directory, runKeys: 256 });
  try {
    const claimable = await claimAll(journal);
    const losses: Losses = [];
    for (const [key, [event, ...deliveries]] of committed) {
      const found = await journal.event(event);
      if (found === undefined) losses.push(`event ${event} of ${key} is missing`);
      else if (Buffer.from(found.data ?? []).toString() !== key.repeat(20))
        losses.push(`event ${event} of ${key} is torn`);
      const undone = deliveries.at(-1) ?? 0;
      if (!claimable.has(undone)) losses.push(`delivery ${undone} of ${key} cannot be claimed`);
    }
    for (const delivery of settled) {
      if (claimable.has(delivery))
        losses.push(`delivery ${delivery} was settled and flushed, and is given out again`);
    }
    const again = await commit(
      journal,
      [...committed.keys()].map((key) => unit({ at: AT + 1, key })),
    );
    for (const [i, key] of [...committed.keys()].entries()) {
      const outcome = again[i];
      if (outcome?.outcome !== 'seen' || outcome.answer !== key) losses.push(`key ${key} is forgotten`);
    }
    return losses;
  } finally {
    await journal.close();
  }
}

async function claimAll(journal: Journal): Promise<Set<number>> {
  const ids = new Set<number>();
  for (;;) {
    const claimed = await journal.claim(AT, 1000, 1 << 30);
    if (claimed.length === 0) return ids;
    for (const { id } of claimed) ids.add(id);
  }
}

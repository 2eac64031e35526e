import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { endpointEntry, triggerEntry } from '../../receiver/routing/testing.ts';
import { ADMIN_TOKEN, openStage, post, type Stage, signature } from '../../receiver/testing.ts';
import { type Chance, createChance } from './chance.ts';
import { type Answered, type Connection, createConnection } from './connection.ts';
import { drawCase, type FuzzCase } from './requests.ts';

/** Something that must not happen, and the bytes that made it happen. */
export interface FuzzFinding {
  readonly index: number;
  readonly what: string;
  /** Base64. */
  readonly bytes: string;
}

/** What a run came to. */
export interface FuzzReport {
  readonly findings: readonly FuzzFinding[];
  /** How often each status came; 0: the connection was closed without an answer. */
  readonly statuses: Readonly<Record<number, number>>;
  /** Bytes of heap, from when a quarter was done to the end. */
  readonly grown: number;
}

const LANES = 16;
const FINDINGS_KEPT = 20;

/** Sends so many drawn requests to every listener of a receiver, over raw sockets. */
export async function fuzz(cases: number, seed: number, say: (done: number) => void): Promise<FuzzReport> {
  const stage = await openStage();
  const cluster = { dedup: { enabled: true, windowMs: 60_000 } };
  stage.apply(
    endpointEntry(),
    triggerEntry({ condition: 'data.orderId == "never"' }),
    triggerEntry({
      name: 'inside',
      from: { webhookSecrets: [], eventBridges: [], cluster },
      condition: 'data.a.b == 1',
    }),
  );
  const chance = createChance(seed);
  const findings: FuzzFinding[] = [];
  const statuses: Record<number, number> = {};
  let drawn = 0;
  let heapBefore = 0;

  async function lane(): Promise<void> {
    const connections = openConnections(stage);
    while (drawn < cases && findings.length < FINDINGS_KEPT) {
      const index = drawn++;
      if (index % 10_000 === 0) say(index);
      if (index === cases >> 2) heapBefore = heapUsed();
      const one = drawCase(chance, ADMIN_TOKEN);
      const connection = connections[one.listener];
      const pieces = cutUp(chance, one.bytes);
      const answered = await (one.framed ? connection.ask(pieces) : connection.throwAway(pieces));
      statuses[answered?.status ?? 0] = (statuses[answered?.status ?? 0] ?? 0) + 1;
      // A refusal by the first pieces closes the connection, and the pieces on their way may take the answer with them.
      const what = fault(one.framed && pieces.length === 1, answered);
      if (what !== undefined) findings.push({ index, what, bytes: one.bytes.toString('base64') });
    }
    for (const connection of Object.values(connections)) connection.close();
  }

  try {
    await Promise.all(Array.from({ length: LANES }, lane));
    const grown = heapUsed() - heapBefore;
    const alive = await stillServes(stage);
    if (alive !== undefined) findings.push({ index: cases, what: alive, bytes: '' });
    return { findings, statuses, grown };
  } finally {
    await stage.close();
  }
}

/** Mostly whole; else in two to twenty pieces, which meet the limits of what is read by the front. */
function cutUp(chance: Chance, bytes: Buffer): readonly Buffer[] {
  if (chance.percent(70)) return [bytes];
  const cuts = Array.from({ length: chance.pick([1, 2, 19]) }, () => chance.below(bytes.length + 1));
  const at = [...cuts.sort((a, b) => a - b), bytes.length];
  return at.map((end, i) => bytes.subarray(at[i - 1] ?? 0, end));
}

function openConnections({ receiver }: Stage): Readonly<Record<FuzzCase['listener'], Connection>> {
  const to = (url: string) => createConnection(Number(new URL(url).port));
  const { addresses } = receiver;
  return { public: to(addresses.public), cluster: to(addresses.cluster), admin: to(addresses.admin) };
}

function fault(isOwedAnswer: boolean, answered: Answered | undefined): string | undefined {
  if (answered === undefined) return isOwedAnswer ? 'a whole request had no answer' : undefined;
  const { status, head, body } = answered;
  if (body.includes('internal_error')) return `a fault of the receiver: ${body}`;
  if (status >= 500 && status !== 503) return `status ${status}`;
  if (status === 503 && !/^retry-after: \d+/im.test(head)) return '503 without Retry-After';
  if (Number.isNaN(status)) return `no status: ${head}`;
  return undefined;
}

async function stillServes({ receiver, logged }: Stage): Promise<string | undefined> {
  const fault = logged.find((line) => line.includes('"level":"error"'));
  if (fault !== undefined) return `an error was logged: ${fault}`;
  const headers = { 'ce-specversion': '1.0', 'ce-type': 't', 'ce-source': '/s', 'ce-id': 'last' };
  const { status } = await post(`${receiver.addresses.public}/e/shop.hooks`, '{}', {
    ...headers,
    ...signature('{}'),
  });
  return status === 202 ? undefined : `a good event after all that was answered ${status}`;
}

function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

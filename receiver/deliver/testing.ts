import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CloudEvent } from '../event/event.ts';
import type {
  Attempt,
  ClaimedDelivery,
  DeliveryState,
  Journal,
  NewDelivery,
  Settlement,
} from '../journal/journal.ts';
import type { Log } from '../observe/log.ts';
import type { HeldDelivery, Tasks } from './engine-contract.ts';
import { RenderError, type Renderer } from './renderer.ts';

/*
 * What the tests and the benchmark of delivery stand on: a journal in memory, targets that misbehave, a plain renderer.
 */

/** Where no delivery is a value stream's. */
export const NO_TASKS: Tasks = {
  offer: async () => 'no wait',
  settle() {
    throw new Error('no delivery has a task here');
  },
};

/** A delivery as the journal in memory keeps it. */
export interface Row {
  readonly id: number;
  readonly trigger: string;
  readonly event: CloudEvent;
  readonly receivedAt: number;
  state: DeliveryState;
  due: number;
  held: boolean;
  reason: string | undefined;
  readonly attempts: Attempt[];
}

/** The part of a journal that the engine uses, in memory; settlements are lazy, as the contract allows. */
export interface MemoryJournal extends Pick<Journal, 'settle' | 'claim' | 'nextDue' | 'release' | 'flush'> {
  /** Commits one delivery of an event. */
  add(event: CloudEvent, delivery: Omit<NewDelivery, 'shape'>, receivedAt: number): HeldDelivery;
  row(id: number): Row;
  readonly rows: ReadonlyMap<number, Row>;
  /** Resolves when the condition holds; looked at after every change. */
  until(condition: () => boolean): Promise<void>;
  /** What a crash leaves: nobody holds anything. */
  restart(): void;
}

/** Makes an empty one. */
export function createMemoryJournal(): MemoryJournal {
  const rows = new Map<number, Row>();
  const watchers = new Set<() => void>();
  let unwritten: Settlement[] = [];

  function write(): void {
    const settlements = unwritten;
    unwritten = [];
    for (const settlement of settlements) apply(row(settlement.delivery), settlement);
    for (const watcher of watchers) watcher();
  }

  function apply(one: Row, settlement: Settlement): void {
    one.state = settlement.state;
    one.held = false;
    if ('attempt' in settlement && settlement.attempt !== undefined) one.attempts.push(settlement.attempt);
    if ('reason' in settlement) one.reason = settlement.reason;
    if (settlement.state === 'waiting') one.due = settlement.due;
  }

  function row(id: number): Row {
    const one = rows.get(id);
    if (one === undefined) throw new Error(`no delivery ${id}`);
    return one;
  }

  function waiting(except: readonly string[]): Row[] {
    return [...rows.values()]
      .filter((one) => one.state === 'waiting' && !one.held && !except.includes(one.trigger))
      .sort((a, b) => a.due - b.due);
  }

  return {
    rows,
    row,
    add(event, { trigger, due, held }, receivedAt) {
      const id = rows.size + 1;
      rows.set(id, {
        id,
        trigger,
        event,
        receivedAt,
        state: 'waiting',
        due,
        held,
        reason: undefined,
        attempts: [],
      });
      return {
        id,
        trigger,
        shape: SHAPE,
        event,
        entrance: 'WebhookSecret/shop/hooks',
        receivedAt,
        attempts: 0,
      };
    },
    settle(settlement) {
      if (unwritten.length === 0) setImmediate(write);
      unwritten.push(settlement);
    },
    async claim(now, limit, _bytes, except = []) {
      write();
      const due = waiting(except)
        .filter((one) => one.due <= now)
        .slice(0, limit);
      return due.map((one): ClaimedDelivery => {
        one.held = true;
        const { id, trigger, event, receivedAt, attempts } = one;
        const attributes = JSON.stringify(event.attributes);
        const claimed = { id, trigger, shape: SHAPE, attempts: attempts.length, receivedAt, event: id };
        return { ...claimed, entrance: 'WebhookSecret/shop/hooks', attributes, data: event.body };
      });
    },
    async nextDue(except = []) {
      write();
      return waiting(except)[0]?.due;
    },
    async release(trigger, now) {
      write();
      const parked = [...rows.values()].filter((one) => one.trigger === trigger && one.state === 'parked');
      for (const one of parked) Object.assign(one, { state: 'waiting', due: now });
      return parked.length;
    },
    async flush() {
      write();
    },
    restart() {
      write();
      for (const one of rows.values()) one.held = false;
    },
    until(condition) {
      return new Promise((resolve) => {
        const watcher = (): void => {
          if (!condition()) return;
          watchers.delete(watcher);
          resolve();
        };
        watchers.add(watcher);
        watcher();
      });
    },
  };
}

/** The only Shape that there is here. */
export const SHAPE = 'shape-1';

/** Sends an event as it is, in binary mode; one of type `unrenderable` cannot be sent. */
export const plainRenderer: Renderer = {
  render(event, { idempotencyKey }) {
    if (event.type === 'unrenderable')
      throw new RenderError('spec.map.type', 'yields no type; map one that is there');
    const headers: Record<string, string> = { 'idempotency-key': idempotencyKey };
    for (const [name, value] of Object.entries(event.attributes)) headers[`ce-${name}`] = value;
    return { path: '', headers, body: event.body ?? Buffer.alloc(0) };
  },
};

/** An event with 500 bytes of data. */
export function someEvent(id: string, more: Readonly<Record<string, string>> = {}): CloudEvent {
  const attributes = { specversion: '1.0', id, source: '/shop', type: 'order.created', ...more };
  return new CloudEvent(attributes, Buffer.alloc(500, 0x78), () => null);
}

/** One request that a target got. */
export interface Received {
  readonly headers: IncomingMessage['headers'];
  readonly path: string;
  readonly body: Buffer;
}

/** A real HTTP server that answers as it is told. */
export interface TestTarget extends AsyncDisposable {
  readonly url: string;
  readonly received: Received[];
  /** Requests whose answer is not over, and the most that there ever were. */
  readonly open: number;
  readonly mostOpen: number;
  /** Resolves when that many requests have come. */
  got(count: number): Promise<void>;
}

/** How a target answers; it may also do nothing, or end the connection. */
export type Behaviour = (response: ServerResponse, request: Received, count: number) => void;

/** Starts a target on a free port of 127.0.0.1. */
export async function startTarget(behave: Behaviour): Promise<TestTarget> {
  const received: Received[] = [];
  const watchers = new Set<() => void>();
  let open = 0;
  let mostOpen = 0;
  const server = createServer((request, response) => {
    open += 1;
    mostOpen = Math.max(mostOpen, open);
    response.once('close', () => (open -= 1));
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.once('end', () => {
      const one = { headers: request.headers, path: request.url ?? '', body: Buffer.concat(chunks) };
      received.push(one);
      for (const watcher of watchers) watcher();
      behave(response, one, received.length);
    });
  });
  await listen(server);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/in`,
    received,
    get open() {
      return open;
    },
    get mostOpen() {
      return mostOpen;
    },
    got: (count) =>
      new Promise((resolve) => {
        const watcher = (): void => {
          if (received.length < count) return;
          watchers.delete(watcher);
          resolve();
        };
        watchers.add(watcher);
        watcher();
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function listen(server: Server): Promise<void> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
}

/** Answers with a status, headers and a body. */
export function answering(
  status: number,
  headers: Readonly<Record<string, string>> = {},
  body = '',
): Behaviour {
  return (response) => {
    response.writeHead(status, { ...headers });
    response.end(body);
  };
}

/** A log that keeps what it is told. */
export function createMemoryLog(): Log & {
  readonly lines: { readonly level: string; readonly text: string }[];
} {
  const lines: { level: string; text: string }[] = [];
  const at = (level: string) => (fields: object, message: string) => {
    lines.push({ level, text: `${message} ${JSON.stringify(fields)}` });
  };
  return {
    lines,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    isLevelEnabled: () => true,
  };
}

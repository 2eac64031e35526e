import { connect, type Socket } from 'node:net';

/*
 * A load generator that costs as little as it can, so that the server's core is the one that is full: the request is a
 * fixed buffer in which only the event's id is overwritten, and of the answer only the status and the length are read.
 */

/** One request's fixed bytes; the id's 12 digits are overwritten for each event. */
export interface RequestTemplate {
  readonly bytes: Buffer;
  readonly idAt: number;
}

/** Builds the template of a signed binary-mode CloudEvent. */
export function requestTemplate(
  path: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): RequestTemplate {
  const id = '0'.repeat(12);
  const lines = [
    `POST ${path} HTTP/1.1`,
    'host: 127.0.0.1',
    `ce-id: ${id}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ];
  const text = lines.join('\r\n');
  return { bytes: Buffer.from(text), idAt: Buffer.byteLength(text.slice(0, text.indexOf(id))) };
}

/** What a load run saw. */
export interface LoadResult {
  readonly sent: number;
  readonly seconds: number;
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Milliseconds from the time a request was due (open loop) or sent (closed loop) to its answer; sorted. Without the warm-up. */
  readonly latencies: Float64Array;
}

export interface LoadOptions {
  readonly port: number;
  readonly template: RequestTemplate;
  readonly connections: number;
  readonly seconds: number;
  /** How long the same goes on before, on the same connections, without its times being counted. Default 0. */
  readonly warmUpSeconds?: number;
  /** Requests a second in open loop; left out: closed loop, each connection sends as soon as it has its answer. */
  readonly rate?: number;
  /** The first event's number; ids are consecutive. */
  readonly firstId: number;
  /** Called when an event goes out that counts, with the time it was due. */
  readonly sending?: (id: number, dueAt: number) => void;
}

interface Connection {
  readonly socket: Socket;
  readonly buffer: Buffer;
  dueAt: number;
  busy: boolean;
  partial: string;
}

/** Runs a load and answers what it saw. Rejects when a connection breaks. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const connections = await Promise.all(Array.from({ length: options.connections }, () => open(options)));
  const statuses: Record<string, number> = {};
  const latencies: number[] = [];
  const waiting: number[] = [];
  const idle: Connection[] = [...connections];
  const started = performance.now();
  const countedFrom = started + (options.warmUpSeconds ?? 0) * 1000;
  const end = countedFrom + options.seconds * 1000;
  let next = options.firstId;
  let nextDue = started;
  let underWay = 0;

  return await new Promise((resolve, reject) => {
    const finish = () => {
      const seconds = (performance.now() - started) / 1000;
      for (const { socket } of connections) socket.destroy();
      resolve({
        sent: next - options.firstId,
        seconds,
        statuses,
        latencies: Float64Array.from(latencies).sort(),
      });
    };
    const send = (connection: Connection, dueAt: number) => {
      const id = next++;
      connection.buffer.write(String(id).padStart(12, '0'), options.template.idAt, 'latin1');
      connection.dueAt = dueAt;
      connection.busy = true;
      underWay += 1;
      if (dueAt >= countedFrom) options.sending?.(id, dueAt);
      connection.socket.write(connection.buffer);
    };
    const answered = (connection: Connection, status: string) => {
      const now = performance.now();
      statuses[status] = (statuses[status] ?? 0) + 1;
      if (connection.dueAt >= countedFrom) latencies.push(now - connection.dueAt);
      connection.busy = false;
      underWay -= 1;
      if (options.rate === undefined) {
        if (now < end) send(connection, now);
        else if (underWay === 0) finish();
        return;
      }
      const due = waiting.shift();
      if (due !== undefined) send(connection, due);
      else idle.push(connection);
      if (nextDue >= end && underWay === 0 && waiting.length === 0) finish();
    };
    for (const connection of connections) {
      connection.socket.on('data', (chunk) => read(connection, chunk, answered));
      connection.socket.on('error', reject);
    }
    if (options.rate === undefined) {
      for (const connection of connections) send(connection, performance.now());
      return;
    }
    const interval = 1000 / options.rate;
    const tick = () => {
      const now = performance.now();
      while (nextDue <= now && nextDue < end) {
        const connection = idle.pop();
        if (connection === undefined) waiting.push(nextDue);
        else send(connection, nextDue);
        nextDue += interval;
      }
      if (nextDue < end) setImmediate(tick);
      else if (underWay === 0 && waiting.length === 0) finish();
    };
    tick();
  });
}

function open(options: LoadOptions): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: options.port, host: '127.0.0.1', noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.removeListener('error', reject);
      resolve({ socket, buffer: Buffer.from(options.template.bytes), dueAt: 0, busy: false, partial: '' });
    });
  });
}

/** One answer at a time is under way on a connection: head, then exactly content-length bytes. */
function read(
  connection: Connection,
  chunk: Buffer,
  answered: (connection: Connection, status: string) => void,
): void {
  const text = connection.partial + chunk.toString('latin1');
  const head = text.indexOf('\r\n\r\n');
  const length = head < 0 ? -1 : lengthOf(text, head);
  if (head < 0 || text.length < head + 4 + length) {
    connection.partial = text;
    return;
  }
  connection.partial = '';
  answered(connection, text.slice(9, 12));
}

function lengthOf(text: string, head: number): number {
  const at = text.search(/content-length: /i);
  return at < 0 || at > head ? 0 : Number.parseInt(text.slice(at + 16, head), 10);
}

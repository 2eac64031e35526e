import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import type { ListenerLimits } from '../listener.ts';
import { type Dialled, dial, type FrontStage, openFrontStage, plain } from './testing.ts';

const closers: (() => unknown)[] = [];
afterEach(() => Promise.all(closers.splice(0).map((close) => close())));

async function open(limits: Partial<ListenerLimits> = {}): Promise<FrontStage> {
  const stage = await openFrontStage(true, limits);
  closers.push(() => stage.listener.close(0));
  return stage;
}

async function dialled({ port }: FrontStage): Promise<Dialled> {
  const connection = await dial(port);
  closers.push(() => connection.socket.destroy());
  return connection;
}

async function asked(stage: FrontStage, count: number): Promise<void> {
  while (stage.hot.length < count) await new Promise((resolve) => setImmediate(resolve));
}

function bodies(answers: string): string[] {
  return [...answers.matchAll(/"ä":"([^"]*)"/g)].map((match) => match[1] ?? '');
}

function bodiesIn(text: string): string[] {
  return bodies(Buffer.from(text, 'latin1').toString('utf8'));
}

/** Of buffers that somebody still needs. */
function keptBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().arrayBuffers;
}

const COLD = 'GET /cold HTTP/1.1\r\nhost: x\r\n\r\n';

describe('a connection of the front', () => {
  it('gives answers in the order of the requests, whichever is ready first, and all at once', async () => {
    const stage = await open();
    stage.held = true;
    const { socket, answers } = await dialled(stage);
    socket.write(['a', 'b', 'c', 'd'].map((body) => plain(body)).join(''));
    await asked(stage, 4);
    const writes: number[] = [];
    socket.on('data', (text: string) => writes.push(text.split('HTTP/1.1 ').length - 1));
    const [a, b, c, d] = stage.waiting;
    for (const done of [d, b, a, c]) done?.();
    expect(bodiesIn(await answers(4))).toEqual(['a', 'b', 'c', 'd']);
    expect(writes).toEqual([4]);
    expect(stage.free()).toEqual({ places: 0, bytes: 0 });
  });

  it('takes 32 requests at once and goes on as they are answered', async () => {
    const stage = await open();
    stage.held = true;
    const { socket, answers } = await dialled(stage);
    const all = Array.from({ length: 100 }, (_, i) => String(i));
    socket.write(all.map((body) => plain(body)).join(''));
    await asked(stage, 32);
    await new Promise((resolve) => setImmediate(resolve));
    expect(stage.hot.length).toBe(32);
    stage.held = false;
    for (const done of stage.waiting.splice(0)) done();
    expect(bodiesIn(await answers(100))).toEqual(all);
    expect(stage.free()).toEqual({ places: 0, bytes: 0 });
  });

  it('is handed over with what it does not know, once all is answered that it took', async () => {
    const stage = await open();
    stage.held = true;
    const { socket, text, answers } = await dialled(stage);
    socket.write(`${plain('a')}${COLD}${plain('b')}`);
    await asked(stage, 1);
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    expect([stage.rest.length, text()]).toEqual([0, '']);
    stage.held = false;
    for (const done of stage.waiting.splice(0)) done();
    const came = await answers(3);
    expect(came.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 202', 'HTTP/1.1 404', 'HTTP/1.1 202']);
    expect(bodiesIn(came)).toEqual(['a', 'b']);
    socket.write(plain('c'));
    expect(bodiesIn(await answers(4))).toEqual(['a', 'b', 'c']);
  });

  it('is handed over when a request is too large, and is refused as ever', async () => {
    const stage = await open();
    const { socket, ended } = await dialled(stage);
    socket.write(plain('x'.repeat(1001)));
    expect(await ended).toMatch(/^HTTP\/1.1 413 [^]*"code":"body_too_large"/);
    expect(stage.free()).toEqual({ places: 0, bytes: 0 });
  });

  it('is handed over when a request comes too slowly, and has the time limits of any other', async () => {
    const limits = { headersMs: 200, requestMs: 400, checkEveryMs: 20 };
    const stage = await open(limits);
    for (const sent of ['', plain('a').slice(0, 20), plain('abc').slice(0, -1)]) {
      const { socket, ended } = await dialled(stage);
      socket.write(sent);
      expect(await ended).toMatch(/^HTTP\/1.1 408 /);
    }
    const { socket, answers } = await dialled(stage);
    socket.write(plain('a'));
    await answers(1);
    socket.write(plain('abc').slice(0, -1));
    await new Promise((resolve) => setTimeout(resolve, 100));
    socket.write('c');
    expect(bodiesIn(await answers(2))).toEqual(['a', 'abc']);
  });

  it('is not kept by a sender that goes on, but never gets to the end of a head', async () => {
    const stage = await open({ headersMs: 200, requestMs: 400, checkEveryMs: 20 });
    const { socket, ended } = await dialled(stage);
    socket.write('POST /hot HTTP/1.1\r\nhost: x\r\nx-a: ');
    const going = setInterval(() => socket.write('a'), 10);
    closers.push(() => clearInterval(going));
    expect(await ended).toMatch(/^HTTP\/1.1 408 /);
  });

  it('is handed over when a request comes in very many pieces', async () => {
    const stage = await open();
    const { socket, answers } = await dialled(stage);
    for (const byte of plain('abc')) {
      socket.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(bodiesIn(await answers(1))).toEqual(['abc']);
    expect(stage.free()).toEqual({ places: 0, bytes: 0 });
  });

  it('ends when its sender wants it to, after the answer', async () => {
    const stage = await open();
    const { socket, ended } = await dialled(stage);
    socket.write(plain('a', 'Connection: close\r\n'));
    expect(await ended).toMatch(/\r\nConnection: close\r\n\r\n\{/);
  });

  it('keeps nothing of what comes behind the last request', async () => {
    const stage = await open();
    stage.held = true;
    const { socket, ended } = await dialled(stage);
    socket.write(plain('a', 'Connection: close\r\n'));
    await asked(stage, 1);
    const before = keptBytes();
    const piece = Buffer.alloc(1 << 20, 'x');
    for (let i = 0; i < 64; i++) await new Promise((resolve) => socket.write(piece, resolve));
    expect(keptBytes() - before).toBeLessThan(16 << 20);
    for (const done of stage.waiting.splice(0)) done();
    expect(bodiesIn(await ended)).toEqual(['a']);
  });

  it('answers a sender that has said all it will say', async () => {
    const stage = await open();
    stage.held = true;
    const { socket, ended } = await dialled(stage);
    socket.end(plain('a'));
    await asked(stage, 1);
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    for (const done of stage.waiting.splice(0)) done();
    expect(bodiesIn(await ended)).toEqual(['a']);
  });

  it('gives back what its request took when its sender has gone', async () => {
    const stage = await open();
    stage.held = true;
    const { socket } = await dialled(stage);
    socket.write(`${plain('a')}${plain('b')}${plain('c').slice(0, -1)}`);
    await asked(stage, 2);
    socket.resetAndDestroy();
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    for (const done of stage.waiting.splice(0)) done();
    expect(stage.free()).toEqual({ places: 0, bytes: 0 });
  });

  it('stops reading from a sender that does not take its answers', async () => {
    const stage = await open();
    const { socket, answers } = await dialled(stage);
    socket.pause();
    const request = plain('x'.repeat(990));
    const count = 8000;
    for (let i = 0; i < count; i++) socket.write(request);
    let before = -1;
    while (stage.hot.length !== before) {
      before = stage.hot.length;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(before).toBeLessThan(count);
    socket.resume();
    await answers(count);
    expect(stage.hot.length).toBe(count);
    expect(stage.free()).toEqual({ places: 0, bytes: 0 });
  });
});

describe('a listener that closes', () => {
  it('answers what is under way, says that the connection ends, and ends what is idle', async () => {
    const stage = await open();
    const idle = await dialled(stage);
    idle.socket.write(plain('a'));
    await idle.answers(1);
    stage.held = true;
    const busy = await dialled(stage);
    busy.socket.write(plain('b'));
    await asked(stage, 2);
    const closed = stage.listener.close(10_000);
    expect(bodiesIn(await idle.ended)).toEqual(['a']);
    for (const done of stage.waiting.splice(0)) done();
    const last = await busy.ended;
    expect(bodiesIn(last)).toEqual(['b']);
    expect(last).toContain('Connection: close');
    await closed;
  });

  it('lets a request that has begun come to its end', async () => {
    const stage = await open();
    const { socket, answers } = await dialled(stage);
    const request = plain('abc');
    socket.write(request.slice(0, -1));
    await new Promise((resolve) => setTimeout(resolve, 20));
    const closed = stage.listener.close(10_000);
    socket.write('c');
    expect(bodiesIn(await answers(1))).toEqual(['abc']);
    socket.destroy();
    await closed;
  });
});

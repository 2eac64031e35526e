import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BrokenMessage } from './members.ts';
import { readMessage } from './read-message.ts';

const NATIVE =
  '{"specversion":"1.0","id":"evt_019539a4","type":"job.completed","source":"ojs://my-service/workers/worker-1","time":"2025-06-01T10:30:02.789Z","subject":"job_019539a4","data":{"job_type":"email.send","queue":"email","duration_ms":1333,"attempt":1,"result":{"n": 1.0}}}';
const REPORT =
  '{"event":"job.state_changed","job_id":"j1","queue":"default","type":"email.send","from":"available","to":"active","timestamp":"2026-02-15T10:30:00.000Z"}';

function read(text: string) {
  return readMessage(Buffer.from(text));
}

describe('an event envelope', () => {
  it('keeps id, type, time, subject, source and the bytes of its data', () => {
    expect(read(NATIVE)).toEqual([
      {
        id: 'evt_019539a4',
        type: 'job.completed',
        time: '2025-06-01T10:30:02.789Z',
        subject: 'job_019539a4',
        source: 'ojs://my-service/workers/worker-1',
        data: Buffer.from(
          '{"job_type":"email.send","queue":"email","duration_ms":1333,"attempt":1,"result":{"n": 1.0}}',
        ),
        extensions: {},
        queue: 'email',
        jobType: 'email.send',
        standing: { jobId: 'job_019539a4', from: '', to: 'completed', at: '2025-06-01T10:30:02.789Z' },
      },
    ]);
  });

  it('has an id of its content where it brings none', () => {
    const [one] = read('{"specversion":"1.0","type":"job.failed","data":{}}');
    expect(one?.id).toMatch(/^evt_[0-9a-f]{32}$/);
    expect(read('{"specversion":"1.0","type":"job.failed","data":{}}')[0]?.id).toBe(one?.id);
  });

  it('is read without what is wrong in it', () => {
    expect(
      read(
        '{"specversion":"1.0","id":7,"type":"a","time":"yesterday","subject":"","source":"x","data":null,"traceparent":"00-1","nested":{}}',
      )[0],
    ).toMatchObject({
      id: '7',
      time: undefined,
      subject: undefined,
      data: undefined,
      extensions: { traceparent: '00-1' },
    });
  });
});

describe('an envelope that says nothing of a job', () => {
  it.each([
    ['its type is a member that every object has', 'constructor', 'j1'],
    ['its subject is no text of CloudEvents', 'job.started', '\\ud800'],
  ])('where %s', (_, type, subject) => {
    const [event] = read(`{"specversion":"1.0","type":"${type}","subject":"${subject}"}`);
    expect(event).toMatchObject({ type });
    expect(event).not.toHaveProperty('standing');
    expect(event).not.toHaveProperty('lacks');
  });
});

describe('a report of a state change', () => {
  it.each([
    ['', 'available', ['job.enqueued']],
    ['', 'scheduled', ['job.scheduled']],
    ['available', 'active', ['job.started']],
    ['active', 'completed', ['job.completed']],
    ['active', 'retryable', ['job.failed', 'job.retrying']],
    ['active', 'discarded', ['job.failed', 'job.discarded']],
    ['', 'cancelled', ['job.cancelled']],
    ['scheduled', 'cancelled', ['job.cancelled']],
    ['completed', 'completed', ['job.completed']],
    ['retryable', 'available', ['job.state_changed']],
    ['', 'constructor', ['job.state_changed']],
    ['__proto__', '__proto__', ['job.state_changed']],
  ])('%s → %s is %j', (from, to, types) => {
    const report = JSON.stringify({ ...JSON.parse(REPORT), from: from || undefined, to });
    expect(read(report).map(({ type }) => type)).toEqual(types);
  });

  it('carries what it says, and when', () => {
    const [event] = read(REPORT);
    expect(event).toMatchObject({ subject: 'j1', time: '2026-02-15T10:30:00.000Z', source: undefined });
    expect(event?.data?.toString()).toBe(
      '{"job_type":"email.send","queue":"default","from":"available","to":"active"}',
    );
  });

  it('has an id that depends on the change alone, and tells any two changes apart', () => {
    const text = fc.string({ minLength: 1, maxLength: 5, unit: fc.constantFrom('a', 'b', '1') });
    const change = fc.record({
      job_id: text,
      from: text,
      to: text,
      timestamp: fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-01T00:00:00.001Z'),
    });
    fc.assert(
      fc.property(change, change, text, (a, b, other) => {
        const id = (it: object, queue: string) =>
          read(JSON.stringify({ event: 'job.state_changed', type: 't', queue, ...it }))[0]?.id;
        expect(id(a, other)).toBe(id(a, 'default'));
        expect(id(a, 'q') === id(b, 'q')).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });

  it('of progress, or of the server, is an event as well', () => {
    expect(
      read(
        '{"event":"job.progress","job_id":"j1","queue":"q","type":"t","progress":50,"timestamp":"2026-01-01T00:00:00Z"}',
      )[0],
    ).toMatchObject({ type: 'job.progress', subject: 'j1', queue: 'q' });
    expect(read('{"event":"server.shutdown","timestamp":"x"}')[0]).toMatchObject({
      type: 'server.shutdown',
      time: undefined,
    });
  });

  it('of a clock in 1970 is taken as it is', () => {
    expect(read(REPORT.replace('2026-02-15T10:30:00.000Z', '1970-01-01T00:00:00Z'))[0]?.time).toBe(
      '1970-01-01T00:00:00Z',
    );
  });
});

describe('what cannot be read', () => {
  it.each([
    ['<html>', /no JSON object/],
    ['{"id":"1"}', /no type/],
    ['{"type":', /no JSON object/],
    ['{"type":"a"} x', /follows/],
    ['[]', /no JSON object/],
    [`{"type":"a","data":${'['.repeat(200)}${']'.repeat(200)}}`, /no JSON object|deep/],
  ])('%s is told', (text, cause) => {
    expect(() => read(text)).toThrow(BrokenMessage);
    expect(() => read(text)).toThrow(cause);
  });

  it('half a character is told', () => {
    expect(() => readMessage(Buffer.from([...Buffer.from('{"type":"'), 0xc3, ...Buffer.from('"}')]))).toThrow(
      /UTF-8/,
    );
  });

  it('never is anything else than told', () => {
    const bytes = fc.oneof(
      fc.uint8Array(),
      fc.json().map((text) => Buffer.from(text)),
      fc.json().map((text) => Buffer.from(`{"event":"job.state_changed","type":${text}}`)),
    );
    fc.assert(
      fc.property(bytes, (message) => {
        try {
          readMessage(Buffer.from(message));
        } catch (error) {
          expect(error).toBeInstanceOf(BrokenMessage);
        }
      }),
    );
  });
});

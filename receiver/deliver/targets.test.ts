import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TARGETS } from './targets.ts';

function answer(status: number, body?: unknown) {
  const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body);
  return { status, headers: {}, body: Buffer.from(text) };
}

function jobError(status: number, error: object) {
  return TARGETS.job.read(answer(status, { error }));
}

describe('a sink', () => {
  it.each([200, 201, 202, 204])('is done with %i', (status) =>
    expect(TARGETS.sink.read(answer(status)).outcome).toBe('done'),
  );
  it.each([404, 408, 409, 429, 500, 502, 503, 599])('is tried again after %i', (status) => {
    expect(TARGETS.sink.read(answer(status))).toEqual({ outcome: 'retry', error: `answered ${status}` });
  });
  it.each([400, 401, 403, 405, 410, 413, 415, 422])('is not tried again after %i', (status) => {
    expect(TARGETS.sink.read(answer(status))).toEqual({ outcome: 'refused', error: `answered ${status}` });
  });
  it.each([301, 302, 307, 308])(
    'is neither followed nor tried again after %i, and says what to do',
    (status) => {
      const reading = TARGETS.sink.read(answer(status));
      expect(reading).toMatchObject({
        outcome: 'refused',
        error: expect.stringContaining('set the uri to the final address'),
      });
    },
  );
});

describe('a job', () => {
  it('keeps id and state of what was enqueued', () => {
    const body = { job: { id: '0195', type: 'a.b', state: 'available' } };
    expect(TARGETS.job.read(answer(201, body))).toEqual({
      outcome: 'done',
      result: '{"job":"0195","state":"available"}',
    });
    expect(TARGETS.job.read(answer(200, { job: { id: '0196' } }))).toEqual({
      outcome: 'done',
      result: '{"job":"0196"}',
    });
    expect(TARGETS.job.read(answer(201, 'not json')).outcome).toBe('done');
  });

  it('believes retryable before the status', () => {
    expect(jobError(400, { code: 'invalid_request', message: 'later', retryable: true })).toEqual({
      outcome: 'retry',
      error: 'answered 400 invalid_request: later',
    });
    expect(jobError(503, { code: 'backend_error', message: 'never', retryable: false }).outcome).toBe(
      'refused',
    );
    expect(jobError(503, { code: 'backend_error' }).outcome).toBe('retry');
    expect(jobError(422, { code: 'schema_validation' }).outcome).toBe('refused');
  });

  it('takes a duplicate for done, but no other conflict', () => {
    expect(jobError(409, { code: 'duplicate', retryable: false }).outcome).toBe('done');
    expect(TARGETS.job.read(answer(409)).outcome).toBe('retry');
  });

  it.each([409, 422])(
    'waits at the ceiling for a queue that is paused (%i), whatever retryable says',
    (status) => {
      expect(jobError(status, { code: 'queue_paused', retryable: false })).toMatchObject({
        outcome: 'retry',
        atCeiling: true,
      });
    },
  );

  it('never retries a redirect, even one that calls itself retryable', () => {
    expect(jobError(307, { retryable: true }).outcome).toBe('refused');
  });

  it('shortens and cleans what a backend says', () => {
    const reading = jobError(500, { code: 'x', message: `a\n\u0000${'y'.repeat(1000)}` });
    expect(reading).toMatchObject({ error: expect.stringMatching(/^answered 500 x: a {2}y+…$/) });
    expect(JSON.stringify(reading).length).toBeLessThan(300);
  });

  it('takes any body without falling over', () => {
    const bodies = fc.oneof(fc.string(), fc.json());
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 599 }), bodies, (status, body) => {
        expect(['done', 'retry', 'refused']).toContain(TARGETS.job.read(answer(status, body)).outcome);
      }),
    );
  });
});

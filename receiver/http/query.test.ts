import { describe, expect, it } from 'vitest';
import { RequestError } from '../errors.ts';
import { parseDeadLetterQuery, parseInstanceQuery, parseQuery, parseRefusalQuery } from './query.ts';

describe('a list’s query', () => {
  it('is what is asked for', () => {
    const texts = { source: '/s', id: '1', type: 't', trigger: 'shop/pack', state: 'dead', cursor: '9' };
    expect(parseQuery({ ...texts, since: '1970-01-01T00:00:01Z', until: '2000', limit: '5' })).toEqual({
      ...texts,
      since: 1000,
      until: 2000,
      limit: 5,
    });
    expect(parseQuery({})).toEqual({ limit: 100 });
    expect(parseQuery({ trigger: 'EventBridge/jobs/results' })).toMatchObject({
      trigger: 'EventBridge/jobs/results',
    });
    expect(parseInstanceQuery({ state: 'Waiting' })).toEqual({ state: 'Waiting', limit: 100 });
    expect(parseRefusalQuery({ code: 'whatever', entrance: 'anything' })).toMatchObject({ code: 'whatever' });
  });

  it.each([
    [parseQuery, { state: 'foo' }, '`state` is one of waiting, parked, delivered, dead.'],
    [
      parseInstanceQuery,
      { state: 'waiting' },
      '`state` is one of Running, Waiting, Blocked, Finished, Failed, Cancelled.',
    ],
    [
      parseQuery,
      { trigger: 'nope' },
      '`trigger` is namespace/name, or EventBridge/namespace/name for a bridge’s own sink.',
    ],
    [
      parseInstanceQuery,
      { trigger: 'a/b/c' },
      '`trigger` is namespace/name, or EventBridge/namespace/name for a bridge’s own sink.',
    ],
    [parseQuery, { triger: 'shop/none' }, '`triger` is not known; did you mean `trigger`.'],
    [
      parseInstanceQuery,
      { source: '/s' },
      '`source` is not known; this list takes trigger, state, cursor, limit.',
    ],
    [
      parseDeadLetterQuery,
      { state: 'waiting' },
      '`state` is not known; this list takes source, id, type, trigger, cursor, since, until, limit.',
    ],
    [
      parseRefusalQuery,
      { trigger: 'a/b' },
      '`trigger` is not known; this list takes entrance, code, id, cursor, since, until, limit.',
    ],
    [parseQuery, { id: ['1', '2'] }, '`id` is given once.'],
  ])('that is misspelt is told what it may be: %o %j', (read, given, message) => {
    const refusal = new RequestError(400, 'invalid_query', message);
    expect(() => read(given)).toThrow(refusal);
  });

  it.each(['soon', '9'.repeat(17), '9'.repeat(400)])('takes no time that is none: %s', (since) => {
    const message = '`since` is a time such as 2026-01-31T12:00:00Z, or milliseconds since 1970.';
    expect(() => parseQuery({ since })).toThrow(new RequestError(400, 'invalid_query', message));
  });
});

import { describe, expect, it } from 'vitest';
import { viewData } from '../event/data-view.ts';
import { CloudEvent } from '../event/event.ts';
import { eventJson } from './event-json.ts';

function event(body: string | undefined, datacontenttype = 'application/json'): CloudEvent {
  const attributes = { specversion: '1.0', id: '1', source: '/s', type: 't', datacontenttype };
  return new CloudEvent(attributes, body === undefined ? undefined : Buffer.from(body), viewData);
}

describe('eventJson', () => {
  it('is the event in JSON form', () => {
    expect(eventJson(event('{"a":1}'))).toMatchObject({ id: '1', type: 't', data: { a: 1 } });
    expect(Object.keys(eventJson(event('{"a":1}')))).toContain('data');
  });

  it('has no data where the event carries none, and null where it is no JSON', () => {
    expect('data' in eventJson(event(undefined))).toBe(false);
    expect(eventJson(event('text', 'text/plain'))['data']).toBeNull();
  });

  it('parses data when a path first asks for it, and once', () => {
    let views = 0;
    const counted = new CloudEvent({ id: '1' }, Buffer.from('{}'), () => ({ views: ++views }));
    const root = eventJson(counted);
    expect(views).toBe(0);
    expect(root['data']).toBe(root['data']);
    expect(views).toBe(1);
  });

  it('keeps integers that a double cannot hold as texts', () => {
    expect(eventJson(event('{"id":9007199254740993,"n":1}'))['data']).toEqual({
      id: '9007199254740993',
      n: 1,
    });
  });
});

import { describe, expect, it } from 'vitest';
import { viewPayload } from './data-view.ts';
import { eventOf } from './testing.ts';

const FORM = 'application/x-www-form-urlencoded';

function data(body: string | Buffer | undefined, type?: string) {
  return eventOf(type === undefined ? {} : { datacontenttype: type }, body).data;
}

describe('the data view', () => {
  it('is parsed JSON for JSON media types and none', () => {
    for (const type of [undefined, 'application/json', 'text/json', 'Application/X+JSON; charset=UTF-8']) {
      expect(data('{"a":[1,null]}', type)).toEqual({ a: [1, null] });
      expect(data('0', type)).toBe(0);
      expect(data('{"a":', type)).toBeNull();
      expect(data('', type)).toBeNull();
      expect(data(undefined, type)).toBeNull();
    }
  });

  it('is null for other data', () => {
    expect(data('{"a":1}', 'text/plain')).toBeNull();
    expect(data(Buffer.from([0xff, 0xd8]), 'image/jpeg')).toBeNull();
  });

  it('is the decoded form', () => {
    expect(data('a=1&b=x+y%20z&b=2&__proto__=p&c', FORM)).toEqual(
      Object.assign(Object.create(null) as object, { a: '1', b: ['x y z', '2'], c: '', ['__proto__']: 'p' }),
    );
  });

  it('is null for a form of more fields than are read', () => {
    const most = Array.from({ length: 1000 }, (_, i) => `f${i}=1`).join('&');
    expect(Object.keys(data(most, FORM) as object)).toHaveLength(1000);
    expect(data(`${most}&`, FORM)).toBeNull();
    expect(data(`${most}&more=1`, `${FORM}; charset=utf-8`)).toBeNull();
    expect(viewPayload(FORM, Buffer.from(`${most}&more=1`))).toBeNull();
  });

  it("is the JSON of a form's payload field, where that is all there is", () => {
    expect(data(`payload=${encodeURIComponent('{"ref":"main"}')}`, `${FORM}; charset=utf-8`)).toEqual({
      ref: 'main',
    });
    expect(data('payload=text', FORM)).toEqual({ payload: 'text' });
    expect(data('payload=%7B%7D&x=1', FORM)).toEqual({ payload: '{}', x: '1' });
  });

  it('is parsed once, when first asked for', () => {
    const event = eventOf({}, '{"a":1}');
    expect(event.data).toBe(event.data);
  });
});

describe('the view that attributes are mapped from', () => {
  it('keeps long integers exact, and numbers that are exact as they are', () => {
    const body = '{"id":12345678901234567890,"small":9007199254740991,"half":0.1234567890123456,"s":"1"}';
    expect(viewPayload('application/json', Buffer.from(body))).toEqual({
      id: '12345678901234567890',
      small: 9_007_199_254_740_991,
      half: 0.123_456_789_012_345_6,
      s: '1',
    });
    expect(viewPayload(FORM, Buffer.from('payload=%7B%22id%22%3A12345678901234567890%7D'))).toEqual({
      id: '12345678901234567890',
    });
  });
});

import type { IncomingHttpHeaders } from 'node:http';
import { describe, expect, it } from 'vitest';
import { parseCloudEvent } from './parse.ts';
import { LENIENT, STRICT } from './validate.ts';

const GOOD = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/a', 'ce-type': 'b' };

function parse(headers: IncomingHttpHeaders = {}, body: string | Buffer = '', rules = STRICT) {
  return parseCloudEvent({ ...GOOD, ...headers }, Buffer.from(body), rules);
}

const latin1 = (text: string) => Buffer.from(text).toString('latin1');

describe('binary mode', () => {
  it('takes attributes and extensions, and leaves other headers alone', () => {
    const event = parse({
      'ce-subject': 'x',
      'ce-time': '2018-04-05T17:31:00.1234567+02:00',
      'ce-traceparent': '00-a-b-01',
      'content-type': 'Application/JSON;charset=UTF-8',
      'x-other': '1',
      traceparent: 'other',
    });
    expect({ ...event.attributes }).toEqual({
      specversion: '1.0',
      id: '1',
      source: '/a',
      type: 'b',
      subject: 'x',
      time: '2018-04-05T17:31:00.1234567+02:00',
      traceparent: '00-a-b-01',
      datacontenttype: 'Application/JSON;charset=UTF-8',
    });
    for (const inherited of ['constructor', 'toString', '__proto__'])
      expect(inherited in event.attributes, inherited).toBe(false);
  });

  it('keeps the body untouched', () => {
    const body = Buffer.from([0, 255, 10, 13]);
    const sent = Buffer.from(body);
    const event = parseCloudEvent({ ...GOOD, 'content-type': 'application/octet-stream' }, sent, STRICT);
    expect(event.body).toBe(sent);
    expect(event.body).toEqual(body);
    expect(parse().body).toBeUndefined();
    expect(parse({ 'content-type': 'text/plain' }).body).toEqual(Buffer.alloc(0));
    expect(parse({}, ' ').body).toEqual(Buffer.from(' '));
  });

  it.each([
    ['Euro%20%E2%82%AC%20%F0%9F%98%80', 'Euro € 😀'],
    ['Euro%20%e2%82%ac', 'Euro €'],
    ['%41%42', 'AB'],
    ['100%25', '100%'],
    ['100%', '100%'],
    ['%zz%4', '%zz%4'],
    ['%2541', '%41'],
    ['plain text, raw', 'plain text, raw'],
    ['"quoted \\"text\\" \\\\"', 'quoted "text" \\'],
    ['"quoted%20too"', 'quoted too'],
    ['""', ''],
    ['{"othervalue": 5}', '{"othervalue": 5}'],
    ['"one", "two"', '"one", "two"'],
    ['"open', '"open'],
    ['"open\\"', '"open\\"'],
    [latin1('Zoë €'), 'Zoë €'],
    [`${latin1('é')}%C3%A9`, 'éé'],
  ])('decodes %s', (raw, value) => {
    expect(parse({ 'ce-name': raw }).attributes['name']).toBe(value);
  });

  it.each([
    ['%C0%A0', /attribute name is not valid UTF-8/],
    ['\u00ff', /attribute name is not valid UTF-8/],
    ['%00', /attribute name holds a character/],
    ['%EF%BF%BF', /attribute name holds a character/],
  ])('refuses the value %s', (raw, message) => {
    expect(() => parse({ 'ce-name': raw })).toThrow(message);
  });

  it('refuses names that are none', () => {
    expect(() => parse({ 'ce-a-b': '1' })).toThrow('attribute "a-b" has no valid name');
    expect(() => parse({ 'ce-data': '1' })).toThrow('attribute "data" has no valid name');
    expect(() => parse({ 'ce-': '1' })).toThrow('attribute "" has no valid name');
    expect(parse({ 'ce-constructor': '1' }).attributes['constructor']).toBe('1');
  });

  it('names the attribute that is missing', () => {
    for (const name of ['specversion', 'id', 'source', 'type']) {
      const { [`ce-${name}`]: _, ...rest } = GOOD as Record<string, string>;
      expect(() => parseCloudEvent(rest, Buffer.alloc(0), STRICT)).toThrow(
        expect.objectContaining({
          status: 400,
          code: 'invalid_event',
          message: `attribute ${name} is missing`,
        }),
      );
    }
  });

  it('takes one of two names of the instance id', () => {
    expect(parse({ 'ce-cxpinstanceid': 'i' }).attributes).toMatchObject({ instanceid: 'i' });
    expect(parse({ 'ce-cxpinstanceid': 'i' }).attributes['cxpinstanceid']).toBeUndefined();
    expect(parse({ 'ce-cxpinstanceid': 'i', 'ce-instanceid': 'i' }).attributes['instanceid']).toBe('i');
    expect(() => parse({ 'ce-cxpinstanceid': 'i', 'ce-instanceid': 'j' })).toThrow(
      'attribute instanceid is given twice',
    );
  });

  it('refuses a ce-datacontenttype that is not the Content-Type', () => {
    const both = { 'ce-datacontenttype': 'text/plain', 'content-type': 'application/json' };
    expect(() => parse(both)).toThrow('attribute datacontenttype is given twice with different values');
  });

  it('takes v1.0 and any source where the entrance does', () => {
    const headers = { 'ce-specversion': 'v1.0', 'ce-source': 'ci%20box' };
    expect(parse(headers, '', LENIENT).attributes).toMatchObject({ specversion: '1.0', source: 'ci box' });
    expect(() => parse({ 'ce-specversion': 'v1.0' })).toThrow('attribute specversion is not "1.0"');
    expect(() => parse({ 'ce-source': 'ci%20box' })).toThrow('attribute source is not a URI-reference');
  });
});

describe('formats', () => {
  it.each([
    'application/cloudevents',
    'application/cloudevents+avro',
    'Application/CloudEvents+XML; a=b',
    'application/cloudevents-batch+proto',
  ])('answers 415 to %s', (type) => {
    expect(() => parse({ 'content-type': type })).toThrow(
      expect.objectContaining({ status: 415, code: 'unsupported_media_type' }),
    );
  });

  it('answers 415 to a batch, by its own code', () => {
    expect(() => parse({ 'content-type': 'application/cloudevents-batch+json' }, '[]')).toThrow(
      expect.objectContaining({ status: 415, code: 'unexpected_batch' }),
    );
  });
});

import { HTTP } from 'cloudevents';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCloudEvent } from '../../receiver/event/parse.ts';
import { STRICT } from '../../receiver/event/validate.ts';
import { buildMessage, type MessageInput } from './message.ts';

const BASE: MessageInput = {
  body: Buffer.from('{"a": 1}'),
  contentType: 'application/json',
  attributes: { id: '1', source: '/s', type: 't' },
  mode: 'structured',
};

describe('buildMessage', () => {
  it('leaves a payload as it is', () => {
    expect(buildMessage({ ...BASE, attributes: {} })).toEqual({
      headers: { 'content-type': 'application/json' },
      body: BASE.body,
    });
  });

  it('keeps the bytes of JSON data in the envelope', () => {
    const { headers, body } = buildMessage(BASE);
    expect(headers).toEqual({ 'content-type': 'application/cloudevents+json' });
    expect(body.toString()).toBe(
      '{"specversion":"1.0","id":"1","source":"/s","type":"t","datacontenttype":"application/json","data":{"a": 1}}',
    );
  });

  it('puts other data in as Base64', () => {
    const { body } = buildMessage({
      ...BASE,
      body: Buffer.from([0, 255]),
      contentType: 'application/octet-stream',
    });
    expect(JSON.parse(body.toString())).toMatchObject({ data_base64: 'AP8=' });
  });

  it.each(['binary', 'structured'] as const)(
    'in %s mode comes back as it was given, whatever the texts',
    (mode) => {
      const text = fc.string({ unit: 'grapheme', minLength: 1 }).filter((value) => /^\P{C}+$/u.test(value));
      fc.assert(
        fc.property(text, text, fc.json(), (id, subject, data) => {
          const attributes = { id, source: '/s', type: 't', subject };
          const { headers, body } = buildMessage({ ...BASE, mode, attributes, body: Buffer.from(data) });
          const back = parseCloudEvent(headers, body, STRICT);
          expect({ ...back.attributes }).toMatchObject(attributes);
          expect(back.body?.toString()).toBe(data);
        }),
      );
    },
  );

  it('is what another implementation reads', () => {
    const { headers, body } = buildMessage({ ...BASE, mode: 'binary' });
    const event = HTTP.toEvent({ headers, body: body.toString() });
    expect(event).toMatchObject({ id: '1', type: 't', source: '/s', data: { a: 1 } });
  });

  it.each([
    [{ ...BASE, attributes: {}, body: undefined }, /^There is nothing to send/],
    [{ ...BASE, body: Buffer.from('{') }, /^The data is not JSON/],
    [{ ...BASE, attributes: { ...BASE.attributes, 'Trace-Id': 'x' } }, /^"Trace-Id" is no attribute name/],
  ])('refuses %#', (input, message) => {
    expect(() => buildMessage(input)).toThrow(message);
  });
});

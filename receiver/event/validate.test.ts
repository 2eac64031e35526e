import { describe, expect, it } from 'vitest';
import { RequestError } from '../errors.ts';
import { isMediaType } from './media-type.ts';
import { isUri, isUriReference } from './uri.ts';
import { isAllowedText, isAttributeName, LENIENT, STRICT, validate } from './validate.ts';

const GOOD = { specversion: '1.0', id: '1', source: '/a', type: 'b' };

function fault(attributes: Readonly<Record<string, string>>, rules = STRICT): string {
  try {
    validate(attributes, rules);
    return 'ok';
  } catch (error) {
    expect(error).toBeInstanceOf(RequestError);
    expect(error).toMatchObject({ status: 400, code: 'invalid_event' });
    return (error as RequestError).message;
  }
}

describe('validate', () => {
  it.each(['specversion', 'id', 'source', 'type'])('wants %s, and not empty', (name) => {
    const { [name]: _, ...rest } = GOOD as Record<string, string>;
    expect(fault(GOOD)).toBe('ok');
    expect(fault(rest)).toBe(`attribute ${name} is missing`);
    expect(fault({ ...GOOD, [name]: '' })).toMatch(new RegExp(`^attribute ${name} is (empty|not "1.0")$`));
  });

  it.each([
    ['specversion', '0.3', 'attribute specversion is not "1.0"'],
    ['source', '/a b', 'attribute source is not a URI-reference'],
    ['subject', '', 'attribute subject is empty'],
    ['time', '2024-01-01', 'attribute time is not an RFC 3339 timestamp'],
    ['dataschema', '/relative', 'attribute dataschema is not a URI'],
    ['datacontenttype', 'json', 'attribute datacontenttype is not a media type'],
    ['region', 'a\u0007', 'attribute region holds a character that CloudEvents does not allow'],
    ['id', '\ud800', 'attribute id holds a character that CloudEvents does not allow'],
  ])('names %s', (name, value, message) => {
    expect(fault({ ...GOOD, [name]: value })).toBe(message);
  });

  it('takes what is right', () => {
    const more = {
      subject: 'ü 1',
      time: '2018-04-05T17:31:00.123456789+02:00',
      dataschema: 'https://a.example/s',
      datacontenttype: 'application/json; charset=utf-8',
      region: '',
      name: '😀',
    };
    expect(fault({ ...GOOD, ...more })).toBe('ok');
  });

  it('takes any source where the entrance does', () => {
    expect(fault({ ...GOOD, source: 'ci signal{box}' }, LENIENT)).toBe('ok');
    expect(fault({ ...GOOD, source: '' }, LENIENT)).toBe('attribute source is empty');
  });
});

describe('text and names', () => {
  it('are as CloudEvents allows', () => {
    for (const text of ['', 'abc ~', 'Zoë', '\u00a0', '😀', '\ue000', '\ufffd'])
      expect([text, isAllowedText(text)]).toEqual([text, true]);
    for (const text of [
      '\0',
      '\n',
      '\u007f',
      '\u0085',
      '\u009f',
      '\ufffe',
      '\uffff',
      '\ufdd0',
      '\u{1fffe}',
      '\ud83d',
      '\udc00a',
    ]) {
      expect([text, isAllowedText(text)]).toEqual([text, false]);
    }
    for (const name of ['a', '0', 'abc123', 'a'.repeat(40), 'constructor'])
      expect(isAttributeName(name)).toBe(true);
    for (const name of ['', 'A', 'a-b', 'a_b', 'ä', 'data', 'a b']) expect(isAttributeName(name)).toBe(false);
  });
});

describe('isUriReference', () => {
  it.each([
    '',
    '/',
    '/a/b',
    'a',
    '1-555-123-4567',
    'urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66',
    'mailto:cncf-wg-serverless@lists.cncf.io',
    'https://github.com/cloudevents',
    '//host/path',
    '?q',
    '#f',
    'a/b:c',
    './a:b',
    'http://[::1]:8080/x',
    'http://a/%20%C3%A4?x=[1]'.replace('[1]', '1'),
    "a!$&'()*+,;=:@".replace('a!', './a!'),
    'ojs://my-service/workers/worker-1',
    'ci-signalbox',
  ])('takes %s', (text) => {
    expect(isUriReference(text)).toBe(true);
  });

  it.each([
    'a b',
    '/ä',
    '<a>',
    '"',
    '%',
    '%2',
    '%zz',
    'a#b#c',
    ':a',
    '1a:b',
    'a_b:c',
    '{x}',
    'a|b',
    'a\\b',
    '^',
    '`',
    'http://a/[',
    'http://a/[b]',
    'http://]a[/',
    'http://[a]]/',
    '[a]',
    '\u0000',
  ])('refuses %s', (text) => {
    expect(isUriReference(text)).toBe(false);
  });

  it('is a URI only with a scheme', () => {
    expect(isUri('https://a')).toBe(true);
    expect(isUri('a:b')).toBe(true);
    expect(isUri('/a')).toBe(false);
    expect(isUri('')).toBe(false);
  });
});

describe('isMediaType', () => {
  it.each([
    'application/json',
    'text/plain;charset=utf-8',
    'Application/JSON ; Charset="UTF-8"',
    'application/vnd.x+json',
    'a/b;c=d;e="f\\"g;h"',
    'multipart/form-data; boundary=----x',
    'text/plain;',
    'text/plain; ;charset=utf-8',
  ])('takes %s', (text) => {
    expect(isMediaType(text)).toBe(true);
  });

  it.each([
    '',
    'json',
    '/',
    'a/',
    '/b',
    'a b/c',
    'a/b c',
    'a/b;c',
    'a/b;c=',
    'a/b;=d',
    'a/b;c="d',
    'a/b;c=d e',
    'a/b, c/d',
    'ä/b',
    ' a/b',
  ])('refuses %s', (text) => {
    expect(isMediaType(text)).toBe(false);
  });
});

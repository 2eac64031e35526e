import { describe, expect, it } from 'vitest';
import { RequestError } from '../errors.ts';
import { parseCloudEvent } from './parse.ts';
import { parseBatch } from './structured.ts';
import { LENIENT, STRICT } from './validate.ts';

const HEAD = '"specversion":"1.0","id":"1","source":"/a","type":"b"';

function parse(json: string | Buffer, type = 'application/cloudevents+json', rules = STRICT) {
  return parseCloudEvent({ 'content-type': type }, Buffer.from(json), rules);
}

/** The event of an envelope with those members added. */
const of = (members: string) => parse(`{${HEAD},${members}}`);
const bodyOf = (members: string) => of(members).body?.toString();

describe('structured mode', () => {
  it.each([
    'application/cloudevents+json',
    'application/cloudevents+json; charset=UTF-8',
    'application/cloudevents+json;charset=utf-8',
    'Application/CloudEvents+JSON ; Charset="utf-8"',
  ])('is told by %s', (type) => {
    expect(parse(`{${HEAD}}`, type).id).toBe('1');
  });

  it('keeps the exact bytes of data', () => {
    for (const data of [
      '{"b" : 1.0, "a":[ ]  }',
      '0',
      'false',
      '""',
      '"a\\u0041"',
      'null',
      '12345678901234567890',
      '[\n1\n]',
      '"ü"',
    ]) {
      expect(bodyOf(`"data": ${data} `)).toBe(data);
      expect(bodyOf(`"datacontenttype":"application/vnd.x+json; v=1","data":${data}`)).toBe(data);
      expect(parse(`\n { "data" :\t${data}\r\n, ${HEAD}} `).body?.toString()).toBe(data);
    }
  });

  it('takes text data as its UTF-8, wherever datacontenttype stands', () => {
    expect(bodyOf('"data":"<a>\\n\\"ü\\ud83d\\ude00","datacontenttype":"text/xml"')).toBe('<a>\n"ü😀');
    expect(of('"datacontenttype":"text/plain","data":null').body).toBeUndefined();
    expect(() => of('"datacontenttype":"text/plain","data":{}')).toThrow('data is not a string');
    expect(() => of('"datacontenttype":"text/plain","data":"\\ud83d"')).toThrow('lone surrogate');
  });

  it('decodes data_base64', () => {
    expect(of('"data_base64":"AP8="').body).toEqual(Buffer.from([0, 255]));
    expect(of('"data_base64":"\\/w=="').body).toEqual(Buffer.from([255]));
    expect(of('"data_base64":""').body).toEqual(Buffer.alloc(0));
    expect(of('"data_base64":null').body).toBeUndefined();
    for (const bad of ['"AP8-"', '"A"', '"AP9="', '"AP8=="', '"AP 8="', '7', '"="']) {
      expect(() => of(`"data_base64":${bad}`)).toThrow('data_base64 is not Base64');
    }
    expect(() => of('"data_base64":"","data":1')).toThrow('both present');
  });

  it('has no body without data', () => {
    expect(of('"datacontenttype":"application/json"').body).toBeUndefined();
  });

  it('makes canonical strings of numbers and booleans', () => {
    const { attributes } = of(
      '"a":5,"b":-2147483648,"c":true,"d":false,"e":-0,"f":"5.0","g":null,"h":2147483647',
    );
    expect(attributes).toMatchObject({
      a: '5',
      b: '-2147483648',
      c: 'true',
      d: 'false',
      e: '0',
      f: '5.0',
      h: '2147483647',
    });
    expect('g' in attributes).toBe(false);
  });

  it.each([
    ['"a":1.5', 'attribute a is a number but no 32-bit integer'],
    ['"a":1e3', 'attribute a is a number but no 32-bit integer'],
    ['"a":2147483648', 'attribute a is a number but no 32-bit integer'],
    ['"a":{}', 'attribute a is an object'],
    ['"a":[]', 'attribute a is an array'],
    ['"subject":5', 'attribute subject is not a string'],
    ['"time":true', 'attribute time is not a string'],
    ['"A":"x"', 'attribute "A" has no valid name'],
    ['"a_b":"x"', 'attribute "a_b" has no valid name'],
    ['"a":"\\u0000"', 'attribute a holds a character'],
    ['"a":"\\ud800"', 'attribute a holds a character'],
    ['"a":"x","a":"x"', 'member "a" is given twice'],
    ['"a":null,"a":"x"', 'member "a" is given twice'],
    ['"i\\u0064":"1"', 'member "id" is given twice'],
    ['"data":1,"data":1', 'member "data" is given twice'],
    ['"instanceid":"x","cxpinstanceid":"y"', 'attribute instanceid is given twice'],
  ])('refuses %s', (members, message) => {
    expect(() => of(members)).toThrow(expect.objectContaining({ status: 400, code: 'invalid_event' }));
    expect(() => of(members)).toThrow(message);
  });

  it('takes escaped names, aliases and __proto__ for what they are', () => {
    expect(of('"\\u0061b":"x","cxpinstanceid":"i"').attributes).toMatchObject({ ab: 'x', instanceid: 'i' });
    expect(() => of('"__proto__":"x"')).toThrow('no valid name');
    expect(of('"constructor":"x"').attributes['constructor']).toBe('x');
  });

  it('names null attributes that are required', () => {
    expect(() => parse('{"specversion":"1.0","id":null,"source":"/a","type":"b"}')).toThrow(
      'attribute id is missing',
    );
    expect(() => parse('{"specversion":"1.0","id":1,"source":"/a","type":"b"}')).toThrow(
      'attribute id is not a string',
    );
    const alias = '{"specversion":"v1.0","id":"1","source":"a b","type":"b"}';
    expect(() => parse(alias)).toThrow('attribute specversion is not "1.0"');
    expect(parse(alias, 'application/cloudevents+json', LENIENT).attributes['specversion']).toBe('1.0');
  });

  it.each([
    ['', 'an object is expected at byte 0'],
    ['[]', 'an object is expected'],
    ['{"id":"1"', 'a comma or a closing bracket is missing'],
    [`{${HEAD}} x`, 'something follows the value'],
    [`{${HEAD},}`, 'a member name is missing'],
  ])('refuses the text %s', (json, message) => {
    expect(() => parse(json)).toThrow(expect.objectContaining({ status: 400, code: 'invalid_event' }));
    expect(() => parse(json)).toThrow(message);
  });

  it('refuses bytes that are no UTF-8', () => {
    expect(() =>
      parse(Buffer.concat([Buffer.from(`{${HEAD},"data":"`), Buffer.from([0xff]), Buffer.from('"}')])),
    ).toThrow('the body is not UTF-8');
  });
});

const results = (json: string) =>
  parseBatch(Buffer.from(json), STRICT).map((result) =>
    result instanceof RequestError ? result.message : result.id,
  );

describe('a batch', () => {
  it('yields events and refusals in order', () => {
    const second = HEAD.replace('"id":"1"', '"id":"2"');
    expect(results(` [ {${HEAD}}, {"id":"x"} , 5, {${second},"data":[1]} ]\n`)).toEqual([
      '1',
      'attribute specversion is missing',
      'an event is an object, not number',
      '2',
    ]);
    expect(results('[]')).toEqual([]);
  });

  it('is an array', () => {
    expect(() => results(`{${HEAD}}`)).toThrow('an array is expected');
    expect(() => results(`[{${HEAD}}`)).toThrow('a comma or a closing bracket is missing');
    expect(() => results('[] []')).toThrow('something follows');
  });
});

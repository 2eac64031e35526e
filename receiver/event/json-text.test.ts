import fc from 'fast-check';
import { expect, it } from 'vitest';
import { jsonOfRecord, jsonOfText, jsonOfTexts } from './json-text.ts';

const text = fc.oneof(
  fc.string({ unit: 'grapheme-ascii' }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }),
  fc.constantFrom('', '"', '\\', '\x7f', '\u2028', '\ud800'),
);

it('writes what JSON.stringify writes', () => {
  fc.assert(
    fc.property(text, fc.array(text), fc.dictionary(text, text), (one, all, record) => {
      expect(jsonOfText(one)).toBe(JSON.stringify(one));
      expect(jsonOfTexts(all)).toBe(JSON.stringify(all));
      expect(jsonOfRecord(record)).toBe(JSON.stringify(record));
    }),
    { numRuns: 1000 },
  );
});

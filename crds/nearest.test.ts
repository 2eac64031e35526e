import { assert, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { editDistance, nearest } from './nearest.ts';

describe('editDistance', () => {
  test.each([
    ['', '', 0],
    ['abc', '', 3],
    ['filtres', 'filters', 1],
    ['traget', 'target', 1],
    ['kitten', 'sitting', 3],
  ])('%s to %s is %i', (from, to, distance) => {
    expect(editDistance(from, to)).toBe(distance);
  });

  test('is the same both ways, and 0 only for the same word', () => {
    assert(
      property(string({ maxLength: 12 }), string({ maxLength: 12 }), (from, to) => {
        expect(editDistance(from, to)).toBe(editDistance(to, from));
        expect(editDistance(from, to) === 0).toBe(from === to);
      }),
    );
  });
});

describe('nearest', () => {
  test('finds the name that was meant, whatever its casing', () => {
    expect(nearest('Webhooksecret', ['cluster', 'webhookSecret'])).toBe('webhookSecret');
    expect(nearest('filtr', ['filters', 'from'])).toBeUndefined();
    expect(nearest('filter', ['filters', 'from'])).toBe('filters');
  });

  test('suggests nothing where nothing is near', () => {
    expect(nearest('schedule', ['filters', 'from', 'target'])).toBeUndefined();
    expect(nearest('x', [])).toBeUndefined();
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGlobs } from './glob.ts';

describe('globs', () => {
  it.each([
    [['job.completed', 'job.failed'], 'job.failed', true],
    [['job.completed', 'job.failed'], 'job.started', false],
    [['job.*'], 'job.completed', true],
    [['job.*'], 'jobs.completed', false],
    [['*.failed'], 'workflow.failed', true],
    [['*'], 'anything', true],
    [[], 'anything', true],
    [['job.?ailed'], 'job.failed', true],
    [['w*.s*ed'], 'workflow.started', true],
    [['job.+'], 'job.x', false],
  ])('%j and %s: %s', (globs, type, expected) => {
    expect(compileGlobs(globs)(type)).toBe(expected);
  });

  it('agree with the regular expression that says the same', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 8 });
    const glob = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(glob, letters, (pattern, text) => {
        const regex = pattern.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.');
        expect(compileGlobs([pattern])(text)).toBe(new RegExp(`^${regex}$`).test(text));
      }),
    );
  });
});

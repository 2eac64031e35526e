import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { REASONS } from '../crds/conditions.ts';
import { conditionsPage } from '../crds/conditions-page.ts';

const ROOT = join(import.meta.dirname, '..');

test('docs/conditions.md is made from the table of reasons', () => {
  expect(readFileSync(join(ROOT, 'docs/conditions.md'), 'utf8')).toBe(conditionsPage());
});

test('every reason that the operator gives is in the table', () => {
  const files = readdirSync(join(ROOT, 'operator'), { recursive: true, encoding: 'utf8' });
  const given = files
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .flatMap((file) => [
      ...readFileSync(join(ROOT, 'operator', file), 'utf8').matchAll(/reason: '([A-Z]\w+)'/g),
    ])
    .map(([, reason = '']) => reason);
  expect(given.length).toBeGreaterThan(10);
  expect([...new Set(given)].filter((reason) => !Object.hasOwn(REASONS, reason))).toEqual([]);
});

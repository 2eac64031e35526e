import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CORE_SCHEMA, load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { compileCesql } from '../receiver/expression/cesql/cesql.ts';
import type { Attributes, Value } from '../receiver/expression/cesql/value.ts';

/*
 * The Technology Compatibility Kit of CESQL, read from the Go module that carries it, whose content go.sum pins. Its
 * attributes have types of their own, which the language knows though our events only hold texts.
 */

const MODULE = 'github.com/cloudevents/sdk-go/sql/v2';
const FILES = 18;
const CASES = 275;

interface Case {
  readonly name: string;
  /** As YAML reads it: `TRUE` and `1` without quotes are no texts. */
  readonly expression: Value;
  readonly result?: Value;
  readonly error?: string;
  readonly event?: Readonly<Record<string, Value>>;
  readonly eventOverrides?: Readonly<Record<string, Value>>;
}

/** Where the module lies, or why it cannot be had. */
function moduleFolder(): { readonly folder: string } | { readonly missing: string } {
  const cwd = fileURLToPath(new URL('assets/cesql-tck', import.meta.url));
  try {
    const told = execFileSync('go', ['mod', 'download', '-json', MODULE], { cwd, stdio: 'pipe' }).toString();
    return { folder: (JSON.parse(told) as { Dir: string }).Dir };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { missing: 'needs Go' };
    throw error;
  }
}

function eventOf({ event, eventOverrides }: Case): Attributes {
  const usual = { specversion: '1.0', id: '1', source: '/tck', type: 'io.cloudevents.tck' };
  return Object.assign(Object.create(null), event ?? { ...usual, ...eventOverrides });
}

const found = moduleFolder();

describe.skipIf('missing' in found)(`CESQL TCK${'missing' in found ? ` (${found.missing})` : ''}`, () => {
  const folder = 'folder' in found ? join(found.folder, 'test', 'tck') : '';
  const names = folder === '' ? [] : readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  const suites = names.map(
    (name) =>
      load(readFileSync(join(folder, name), 'utf8'), { schema: CORE_SCHEMA }) as {
        name: string;
        tests: readonly Case[];
      },
  );

  it('is whole', () => {
    expect(suites).toHaveLength(FILES);
    expect(suites.flatMap((suite) => suite.tests)).toHaveLength(CASES);
  });

  describe.each(suites)('$name', ({ tests }) => {
    it.each(tests)('$name: $expression', (given) => {
      const program = compileCesql(String(given.expression), 'spec.filters[0].cesql');
      if (given.error === 'parse') {
        expect(program.ok).toBe(false);
        return;
      }
      if (!program.ok) throw new Error(program.findings[0]?.message);
      const { value, error } = program.value.evaluate(eventOf(given));
      expect(value).toBe(given.result);
      expect(error?.kind).toBe(given.error);
    });
  });
});

import { describe, expect, it } from 'vitest';
import { parseManifests } from './parse.ts';

function problem(text: string): string {
  const parsed = parseManifests('a.yaml', text);
  return parsed.ok ? 'parsed' : parsed.problem;
}

describe('parseManifests', () => {
  it('reads several documents, passes over empty ones and opens lists', () => {
    const parsed = parseManifests(
      'a.yaml',
      '---\n# only a comment\n---\nkind: A\n---\nkind: List\nitems:\n- kind: B\n- kind: C\n',
    );
    expect(parsed).toEqual({
      ok: true,
      documents: [
        { file: 'a.yaml', value: { kind: 'A' } },
        { file: 'a.yaml', value: { kind: 'B' } },
        { file: 'a.yaml', value: { kind: 'C' } },
      ],
    });
  });

  it('reads JSON', () => {
    expect(parseManifests('a.json', '{"kind":"A"}')).toMatchObject({
      ok: true,
      documents: [{ value: { kind: 'A' } }],
    });
  });

  it('names file, line and remedy', () => {
    expect(problem('kind: A\n name: B\n')).toBe(
      'a.yaml:2: is not valid YAML (bad indentation of a mapping entry); correct this line or the one above it.',
    );
  });

  it('quotes nothing of the file, which may be a secret', () => {
    for (const text of [
      'stringData:\n  key: *hunter2',
      'key: !hunter2 x',
      'key: hunter2: x',
      'key: "hunter2',
      '"hunter2": 1\n"hunter2": 2',
    ]) {
      expect(problem(text)).not.toContain('hunter2');
      expect(problem(text)).toMatch(/^a\.yaml:\d+: is not valid YAML \([a-z ]+\); /);
    }
  });
});

import { describe, expect, it } from 'vitest';
import type { Snapshot } from '../manifests/files.ts';
import { manifestRules } from './rules.ts';
import { advance, EMPTY_SESSION, type Session, type Step } from './session.ts';

const RULES = manifestRules({
  resolve: new Map(),
  publicUrl: 'http://hooks.test',
  clusterUrl: 'http://cluster.test',
  now: Date.now,
});

const SECRET = `
apiVersion: v1
kind: Secret
metadata: { name: hooks, namespace: shop }
stringData: { key: s3cr3t }
`;
const ENDPOINT = `
apiVersion: signalbox.dev/v1alpha1
kind: WebhookSecret
metadata: { name: hooks, namespace: shop }
spec:
  scheme: Emporix
  secrets: [{ name: current, secretKeyRef: { name: hooks, key: key } }]
`;

function trigger(target: string, name = 'forward'): string {
  return `
apiVersion: signalbox.dev/v1alpha1
kind: EventTrigger
metadata: { name: ${name}, namespace: shop }
spec:
  from: [{ webhookSecret: { name: hooks } }]
  target: ${target}
`;
}

const SINK = '{ sink: { uri: "http://127.0.0.1:9900/a" } }';

function snapshot(...texts: string[]): Snapshot {
  return { files: texts.map((text, i) => ({ path: `${i}.yaml`, text })), problems: [] };
}

function step(session: Session, ...texts: string[]): Step {
  return advance(session, snapshot(...texts), RULES);
}

function keys(step: Step): readonly string[] {
  return step.session.entries.map((entry) => `${entry.kind} ${entry.name}@${entry.generation}`);
}

const BASE = [SECRET, ENDPOINT, trigger(SINK)];

describe('advance', () => {
  it('tells of an audience whose issuer nobody named', () => {
    const from = 'from: [{ cluster: { audience: signalbox } }]';
    const guarded = trigger(SINK).replace(/from: .*/, from);
    expect(step(EMPTY_SESSION, SECRET, guarded).problems).toEqual([]);
    const unknown = manifestRules({
      resolve: new Map(),
      publicUrl: '',
      clusterUrl: '',
      now: Date.now,
      knowsIssuer: false,
    });
    const { problems, session } = advance(EMPTY_SESSION, snapshot(guarded), unknown);
    expect(problems).toEqual([expect.stringMatching(/cluster\.audience: .* 503, .* name one with --issuer/)]);
    // What else it does goes on.
    expect(session.entries.map(({ name }) => name)).toEqual(['forward']);
  });

  it('makes a table of what the files hold', () => {
    const first = step(EMPTY_SESSION, ...BASE);
    expect(first.problems).toEqual([]);
    expect(keys(first)).toEqual(['EventTrigger forward@1', 'WebhookSecret hooks@1']);
    expect(first.table).toMatchObject({ version: 1, revision: 1 });
    expect(first.changes).toEqual(['EventTrigger shop/forward added', 'WebhookSecret shop/hooks added']);
  });

  it('makes no table where nothing changed', () => {
    const first = step(EMPTY_SESSION, ...BASE);
    const again = step(first.session, ...BASE.map((text) => `# a comment\n${text}`));
    expect(again.table).toBeUndefined();
    expect(again.session.revision).toBe(1);
  });

  it("counts a resource's generation and the table's revision by what changed", () => {
    const first = step(EMPTY_SESSION, ...BASE);
    const next = step(
      first.session,
      SECRET,
      ENDPOINT,
      trigger('{ sink: { uri: "http://127.0.0.1:9900/b" } }'),
    );
    expect(next.changes).toEqual(['EventTrigger shop/forward changed']);
    expect(next.table?.revision).toBe(2);
    expect(keys(next)).toEqual(['EventTrigger forward@2', 'WebhookSecret hooks@1']);
  });

  it('leaves out a broken resource and runs the others', () => {
    const first = step(
      EMPTY_SESSION,
      ...BASE,
      trigger('{ sinc: { uri: "http://127.0.0.1:9900/b" } }', 'typo'),
    );
    expect(keys(first)).toEqual(['EventTrigger forward@1', 'WebhookSecret hooks@1']);
    expect(first.problems).toContain(
      'EventTrigger shop/typo: spec.target.sinc: is an unknown field: did you mean sink?',
    );
  });

  it('tells that what was wrong is settled, where the text is again what runs', () => {
    const first = step(EMPTY_SESSION, ...BASE);
    expect(first.settled).toBe(false);
    const broken = step(first.session, SECRET, ENDPOINT, trigger('{ sinc: {} }'));
    expect(broken).toMatchObject({ table: undefined, settled: false });
    const otherwise = step(broken.session, SECRET, ENDPOINT, trigger('{ sinkk: {} }'));
    expect(otherwise).toMatchObject({ table: undefined, settled: false });
    const restored = step(otherwise.session, ...BASE);
    expect(restored).toMatchObject({ table: undefined, problems: [], settled: true });
    expect(step(restored.session, ...BASE).settled).toBe(false);
    const applied = step(
      broken.session,
      SECRET,
      ENDPOINT,
      trigger('{ sink: { uri: "http://127.0.0.1:1/" } }'),
    );
    expect(applied).toMatchObject({ table: { revision: 2 }, settled: false });
  });

  it('tells what hangs on a broken resource that it is broken, not that it is missing', () => {
    const broken = ENDPOINT.replace('scheme: Emporix', 'scheme: Standard');
    const { problems, troubles } = step(EMPTY_SESSION, SECRET, broken, trigger(SINK));
    const why =
      'spec.from[0].webhookSecret.name: WebhookSecret "hooks" is invalid: correct what its own finding names';
    expect(problems).toEqual([
      expect.stringContaining('WebhookSecret shop/hooks: spec.scheme: '),
      `EventTrigger shop/forward: ${why}`,
    ]);
    expect([...troubles]).toEqual([['EventTrigger/shop/forward', `${why}; the rest of it works`]]);
  });

  it.each([
    ['does not fit the schema', trigger('{ sinc: {} }'), /^EventTrigger shop\/forward: spec\.target/],
    [
      'does not compile',
      trigger(`${SINK}\n  condition: "data.ref =="`),
      /^EventTrigger shop\/forward: spec\.condition: /,
    ],
    [
      'is no YAML',
      `${trigger(SINK)} - [`,
      /^2\.yaml:\d+: is not valid YAML .* What it held before keeps running\.$/,
    ],
  ])('keeps the last good version of what %s', (_what, bad, line) => {
    const first = step(EMPTY_SESSION, ...BASE);
    const edited = step(first.session, SECRET, ENDPOINT, bad);
    expect(edited.table).toBeUndefined();
    expect(keys(edited)).toEqual(keys(first));
    expect(edited.problems[0]).toMatch(line);
    expect(edited.problems.at(-1)).toMatch(
      /last good version keeps running|What it held before keeps running/,
    );
    const mended = step(
      edited.session,
      SECRET,
      ENDPOINT,
      trigger('{ sink: { uri: "http://127.0.0.1:9900/c" } }'),
    );
    expect(mended.problems).toEqual([]);
    expect(mended.changes).toEqual(['EventTrigger shop/forward changed']);
  });

  it('drops what is gone at once, and an endpoint without its Secret verifies nothing', () => {
    const first = step(EMPTY_SESSION, ...BASE);
    const without = step(first.session, SECRET, ENDPOINT);
    expect(without.changes).toEqual(['EventTrigger shop/forward removed']);
    const revoked = step(first.session, '', ENDPOINT, trigger(SINK));
    const endpoint = revoked.session.entries.find((entry) => entry.kind === 'WebhookSecret');
    expect(endpoint).toMatchObject({ keys: [] });
    expect(endpoint?.cannotVerify).toBeDefined();
    expect(revoked.problems.join()).toMatch(/^WebhookSecret shop\/hooks: spec\.secrets\[0\]/);
  });

  it('never shows a key', () => {
    const first = step(
      EMPTY_SESSION,
      SECRET.replace('s3cr3t', 'hunter2'),
      ENDPOINT,
      `${trigger(SINK)}  hunter3: [`,
    );
    expect(JSON.stringify(first.problems)).not.toContain('hunter2');
    expect(JSON.stringify(first.changes)).not.toContain('hunter2');
  });
});

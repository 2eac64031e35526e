import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testEvent } from '../match/testing.ts';
import { sagaEntry } from '../streams/journal-harness.ts';
import { streamOf } from '../streams/testing.ts';
import { EMPTY_RUNTIME, nextRuntime, type Runtime } from './runtime.ts';
import type { Entry, TriggerSources } from './table.ts';
import { bridgeEntry, endpointEntry, ojsSource, POLICY, triggerEntry } from './testing.ts';

const TYPES = ['a', 'b', 'start'];
const ENTRANCES = ['WebhookSecret/shop/hooks', 'WebhookSecret/shop/other', 'EventBridge/shop/jobs'];
const URL = 'http://127.0.0.1:9/';

const triggers = fc
  .record({
    name: fc.constantFrom('t0', 't1', 't2', 't3'),
    type: fc.constantFrom(...TYPES),
    hooks: fc.uniqueArray(fc.constantFrom('hooks', 'other'), { maxLength: 2 }),
    bridge: fc.boolean(),
  })
  .map(({ name, type, hooks, bridge }): Entry => {
    const from: TriggerSources = { webhookSecrets: hooks, eventBridges: bridge ? ['jobs'] : [] };
    return triggerEntry({ name, from, filters: [{ exact: { type } }] });
  });
const sagas = fc
  .uniqueArray(fc.constantFrom('hooks', 'other'), { minLength: 1, maxLength: 2 })
  .map(
    (webhookSecrets): Entry =>
      sagaEntry(streamOf([]), { namespace: 'shop', from: { webhookSecrets, eventBridges: [] } }),
  );
/** Two of them may claim one source. */
const endpoints = fc
  .record({
    name: fc.constantFrom('hooks', 'other'),
    source: fc.constantFrom('one', 'two'),
    scheme: fc.constantFrom('Emporix', 'Bearer', 'NoSuchScheme'),
  })
  .map((over): Entry => endpointEntry(over));
const bridges = fc.record({ sunk: fc.boolean(), called: fc.boolean() }).map(({ sunk, called }): Entry => {
  const sink = {
    shape: { sink: { format: 'binary' } },
    destination: { kind: 'sink', url: URL, headers: [] },
  } as const;
  return bridgeEntry(URL, {
    namespace: 'shop',
    name: 'jobs',
    ...(called ? { source: ojsSource(URL, { transport: 'Webhook', webhookSecret: 'hooks' }) } : {}),
    ...(sunk ? { sink: { ...sink, policy: POLICY } } : {}),
  });
});
const tables = fc
  .uniqueArray(fc.oneof(triggers, sagas, endpoints, bridges), {
    maxLength: 8,
    selector: ({ kind, name }) => `${kind}/${name}`,
  })
  .map((entries) => entries.toSorted((a, b) => (a.name < b.name ? -1 : 1)));

/** All that a runtime answers. */
function answers(runtime: Runtime) {
  const keys = (all: readonly { readonly key: string }[]) => all.map(({ key }) => key).toSorted();
  const bearer = { url: '/', headers: new Headers({ authorization: 'Bearer s3cr3t' }) } as never;
  return {
    revision: runtime.revision,
    endpoints: ['one', 'two'].map((source) => runtime.endpoint(source)?.entry),
    bearer: runtime.bearerEndpoint(bearer)?.entry,
    triggers: [...runtime.triggers.keys()].toSorted().map((key) => runtime.trigger(key)?.entry),
    bridges: [...runtime.bridges].map(([key, { entry }]) => [key, entry]),
    at: ENTRANCES.map((entrance) => ({
      readers: keys(runtime.readers(entrance)),
      callees: keys(runtime.callees(entrance)),
      members: [...(runtime.streams(entrance)?.members.keys() ?? [])],
      met: TYPES.map((type) => testEvent({ type })).map((event) => [
        keys(runtime.routes(entrance).match(event)),
        keys(runtime.streams(entrance)?.starts.match(event) ?? []),
      ]),
    })),
  };
}

function fresh(entries: readonly Entry[], revision: number): Runtime {
  return nextRuntime({ version: 1, revision, entries: structuredClone(entries) }, undefined, undefined)
    .runtime;
}

describe('a table that follows another', () => {
  it('runs as if it were the first, whatever changed', () => {
    fc.assert(
      fc.property(fc.array(tables, { minLength: 2, maxLength: 6 }), (all) => {
        let runtime = EMPTY_RUNTIME;
        all.forEach((entries, revision) => {
          runtime = nextRuntime({ version: 1, revision, entries }, runtime, undefined).runtime;
          expect(answers(runtime)).toEqual(answers(fresh(entries, revision)));
        });
      }),
      { numRuns: 300 },
    );
  });

  it('takes over what says the same, and tells what came, changed and went', () => {
    const entries = [triggerEntry(), triggerEntry({ name: 'edited' }), triggerEntry({ name: 'gone' })];
    const { runtime } = nextRuntime({ version: 1, revision: 1, entries }, undefined, undefined);
    const edited = triggerEntry({ name: 'edited', generation: 2 });
    const came = endpointEntry();
    const after = [triggerEntry(), edited, came];
    const next = nextRuntime({ version: 1, revision: 2, entries: after }, runtime, undefined);

    expect(next.runtime.trigger('shop/forward')).toBe(runtime.trigger('shop/forward'));
    expect(next.runtime.bridges).toBe(runtime.bridges);
    expect(next.triggers.toSorted()).toEqual(['shop/edited', 'shop/gone']);
    expect(next.changes).toEqual([
      { key: 'EventTrigger/shop/edited', before: entries[1], after: edited },
      { key: 'EventTrigger/shop/gone', before: entries[2], after: undefined },
      { key: 'WebhookSecret/shop/hooks', before: undefined, after: came },
    ]);
    expect(runtime.trigger('shop/gone')?.entry).toBe(entries[2]);
  });

  it('tells once what cannot run here', () => {
    const bad = endpointEntry({ scheme: 'NoSuchScheme' });
    const first = nextRuntime({ version: 1, revision: 1, entries: [bad] }, undefined, undefined);
    expect(new Set(first.faults.map(({ entry }) => entry))).toEqual(new Set(['WebhookSecret/shop/hooks']));
    const entries = [bad, triggerEntry()];
    expect(nextRuntime({ version: 1, revision: 2, entries }, first.runtime, undefined).faults).toEqual([]);
  });

  it('leaves the table before as it was, over more edits than are patched', () => {
    const all = Array.from({ length: 9000 }, (_, i) =>
      triggerEntry({ name: `t${i}`, filters: [{ exact: { type: `old.${i}` } }] }),
    );
    const first = nextRuntime({ version: 1, revision: 1, entries: all }, undefined, undefined).runtime;
    let entries: readonly Entry[] = all;
    let runtime = first;
    for (let i = 0; i < 300; i++) {
      const edit = triggerEntry({ name: `t${i}`, filters: [{ exact: { type: `new.${i}` } }] });
      entries = entries.with(i, edit);
      runtime = nextRuntime({ version: 1, revision: i + 2, entries }, runtime, undefined).runtime;
    }
    const met = (one: Runtime, type: string) =>
      one
        .routes('WebhookSecret/shop/hooks')
        .match(testEvent({ type }))
        .map(({ key }) => key);
    for (const i of [0, 254, 255, 256, 257, 299]) {
      expect(met(runtime, `new.${i}`)).toEqual([`shop/t${i}`]);
      expect(met(runtime, `old.${i}`)).toEqual([]);
      expect(met(first, `old.${i}`)).toEqual([`shop/t${i}`]);
    }
    expect(met(runtime, 'old.8300')).toEqual(['shop/t8300']);
    expect(runtime.readers('WebhookSecret/shop/hooks')).toHaveLength(9000);
  });
});

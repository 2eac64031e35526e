import { Counter, Gauge, type Registry } from 'prom-client';
import type { ReaderParts } from './reader.ts';
import type { BridgeStatus } from './status.ts';
import { createTally } from './tally.ts';

const STATES: readonly BridgeStatus['state'][] = ['Connecting', 'Reading', 'Down', 'Standby'];

/** Shows what the bridges of a receiver count, all together: what each one does, `/api/bridges` tells. */
export function measureBridges(
  registry: Registry,
  list: () => readonly BridgeStatus[],
): ReaderParts['counted'] {
  const registers = [registry];
  const total = new Counter({
    name: 'signalbox_bridge_total',
    help: 'What bridges read from job backends: messages, what of them is broken, unwanted or repeated, events written.',
    labelNames: ['what'],
    registers,
  });
  for (const what of Object.keys(createTally())) total.inc({ what }, 0);
  new Gauge({
    name: 'signalbox_bridges',
    help: 'Bridges by what they do.',
    labelNames: ['state'],
    registers,
    collect() {
      const all = list();
      for (const state of STATES) this.set({ state }, all.filter((one) => one.state === state).length);
    },
  });
  return (what, by) => {
    if (by > 0) total.inc({ what }, by);
  };
}

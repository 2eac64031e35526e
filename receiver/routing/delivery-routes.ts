import type { Routes } from '../deliver/engine-contract.ts';
import type { Streams } from '../streams/streams.ts';
import type { Renderers } from './renderers.ts';
import type { Runtime } from './runtime.ts';

/** Where deliveries go, by the table in force at that moment, and how they are rendered. */
export function deliveryRoutes(
  runtime: () => Runtime,
  renderer: Renderers['find'],
  stepRenderer: Streams['renderer'],
): Routes {
  return {
    renderer: (shape, task) => (task === undefined ? renderer(shape) : stepRenderer(shape, task)),
    route(key, step) {
      const entry = runtime().trigger(key)?.entry;
      const target = step === undefined ? entry : entry?.stream?.steps.find(({ name }) => name === step);
      if (entry === undefined || target === undefined) return undefined;
      return { suspend: entry.suspend, destination: target.destination, policy: target.policy };
    },
  };
}

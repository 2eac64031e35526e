import { eventBridgeNotYet } from './not-yet.ts';
import type { Outcome } from './outcome.ts';
import { refusedSpec } from './settle.ts';

/** Plans one EventBridge: this version runs none, and says so. */
export function planEventBridge(): Outcome {
  const { entry, ready, findings } = refusedSpec(
    { reason: 'NotYetSupported', findings: [eventBridgeNotYet()] },
    undefined,
  );
  return { entry, ready, findings, conditions: [], status: {} };
}

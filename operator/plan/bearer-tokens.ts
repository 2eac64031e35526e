import type { Finding } from '../../receiver/errors.ts';
import { bearerDigest } from '../../receiver/routing/bearer-index.ts';
import type { EndpointEntry, KeyMaterial } from '../../receiver/routing/table.ts';
import { tokenText } from '../../receiver/verify/token.ts';
import type { PlannedCondition } from './outcome.ts';

/** The digests of the Bearer tokens that an endpoint holds: those that no one had before it. */
export function heldTokens(entry: EndpointEntry): readonly string[] {
  if (entry.scheme !== 'Bearer') return [];
  return entry.keys.filter((key) => key.heldBy === undefined).map(digestOf);
}

/** Marks the tokens that another WebhookSecret had first. */
export function markHeld(
  entry: EndpointEntry,
  holderOf: (digest: string) => string | undefined,
): EndpointEntry {
  if (entry.scheme !== 'Bearer') return entry;
  const own = `${entry.namespace}/${entry.name}`;
  const keys = entry.keys.map((key): KeyMaterial => {
    const holder = holderOf(digestOf(key));
    const { heldBy: before, ...free } = key;
    if (holder === undefined || holder === own) return free;
    return before === holder ? key : { ...free, heldBy: holder };
  });
  return { ...entry, keys };
}

/** What the author of an endpoint is told whose token leads elsewhere; one past its end opens nothing anyway. */
export function heldElsewhere(
  entry: EndpointEntry,
  now: number,
): { readonly condition: PlannedCondition; readonly finding: Finding } | undefined {
  const key = entry.keys.find(({ heldBy, notAfter = Infinity }) => heldBy !== undefined && now < notAfter);
  if (key === undefined) return undefined;
  const field = `spec.secrets "${key.name}"`;
  const message = `its token is also that of another WebhookSecret, and leads there on /ojs/v1/cloudevents; here it opens /e/${entry.source} only: use a token of its own`;
  return {
    condition: {
      type: 'TokenUnique',
      status: 'False',
      reason: 'TokenTaken',
      message: `${field}: ${message}`,
    },
    finding: { field, message },
  };
}

function digestOf(key: KeyMaterial): string {
  return bearerDigest(tokenText(key));
}

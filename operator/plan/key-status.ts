import type { PlannedCondition, PlannedStatus } from './outcome.ts';
import type { WebhookSecret } from './resources.ts';

type KeyStatus = NonNullable<PlannedStatus['keys']>[number];

const DAY_MS = 86_400_000;

/**
 * The keys of the spec, each with its last use: what the receivers tell, or what the status knows from before. A use from
 * before the resource was made is another's, which had its name.
 */
export function keyStatus(
  resource: WebhookSecret,
  lastUsed: ReadonlyMap<string, number>,
): readonly KeyStatus[] {
  const before = new Map((resource.status?.keys ?? []).map((key) => [key.name, key.lastUsed]));
  const made = Date.parse(resource.metadata.creationTimestamp ?? '') || 0;
  return (resource.spec.secrets ?? []).map(({ name }) => {
    const told = lastUsed.get(name) ?? 0;
    const known = Math.max(told < made ? 0 : told, Date.parse(before.get(name) ?? '') || 0);
    return known === 0 ? { name } : { name, lastUsed: inSeconds(known) };
  });
}

function inSeconds(ms: number): string {
  return new Date(Math.floor(ms / 1000) * 1000).toISOString().replace('.000Z', 'Z');
}

/**
 * Whether a key that another has replaced may go: the condition `OldKeysUnused`, once two keys were used. What counts is
 * the time between their last uses, so that a quiet weekend makes no key an old one.
 */
export function oldKeysUnused(keys: readonly KeyStatus[]): PlannedCondition | undefined {
  const used = keys
    .flatMap(({ name, lastUsed }) =>
      lastUsed === undefined ? [] : [{ name, at: Date.parse(lastUsed), lastUsed }],
    )
    .sort((a, b) => b.at - a.at);
  const [newest, ...others] = used;
  if (newest === undefined || others.length === 0) return undefined;
  const type = 'OldKeysUnused';
  const busy = others.find(({ at }) => newest.at - at < DAY_MS);
  if (busy !== undefined) {
    const message = `key "${busy.name}" was last used at ${busy.lastUsed}: keep it until it is unused for 24 h`;
    return { type, status: 'False', reason: 'OldKeyInUse', message };
  }
  const names = others.map(({ name }) => `"${name}"`).join(', ');
  const message = `unused for 24 h and more, safe to remove from spec.secrets: ${names}`;
  return { type, status: 'True', reason: 'SafeToRemove', message };
}

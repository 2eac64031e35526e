import type { KeyMaterial } from '../routing/table.ts';
import type { CodeProof, ProofByKey, RecipeProof } from './scheme.ts';

/** One part of a proof and the keys that it has. */
export interface KeyedProof {
  readonly proof: RecipeProof | CodeProof;
  readonly keys: readonly KeyMaterial[];
}

/** Sorts keys by the part that takes them. Parts without keys are left out, all but the last: it says what is missing. */
export function partsByKey({ byKey }: ProofByKey, keys: readonly KeyMaterial[]): readonly KeyedProof[] {
  const parts = byKey.map(({ proof }) => ({ proof, keys: [] as KeyMaterial[] }));
  for (const key of keys) {
    const text = Buffer.from(key.secret, 'base64').toString('latin1');
    const at = byKey.findIndex(({ takes }) => takes(text));
    parts[at < 0 ? parts.length - 1 : at]?.keys.push(key);
  }
  return parts.filter((part, i) => part.keys.length > 0 || (keys.length === 0 && i === parts.length - 1));
}

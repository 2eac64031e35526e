import { type Compiled, compiled, type Finding } from '../errors.ts';
import type { Signing } from '../routing/table.ts';
import { partsByKey } from './by-key.ts';
import { compileRecipeSigner } from './recipe-signer.ts';
import type { OutgoingMessage, Proof, Signer } from './scheme.ts';
import { findScheme, recipesOf } from './schemes.ts';

/** Puts what several signers say into one set of headers; a header that both write is a list, parted by a space. */
function joined(signers: readonly Signer[]): Signer {
  return {
    sign(message) {
      let headers: Record<string, string> | undefined;
      for (const signer of signers) {
        const more = signer.sign(message);
        if (more === undefined) continue;
        headers ??= {};
        for (const [name, value] of Object.entries(more)) {
          const before = headers[name];
          headers[name] = before === undefined || before === value ? value : `${before} ${value}`;
        }
      }
      return headers;
    },
  };
}

function compileProof(proof: Proof, signing: Signing, path: string): Compiled<Signer> {
  if ('compileSigner' in proof) return proof.compileSigner(signing.keys, path);
  if ('byKey' in proof) {
    const signers: Signer[] = [];
    const findings: Finding[] = [];
    for (const part of partsByKey(proof, signing.keys)) {
      const signer = compileProof(part.proof, { ...signing, keys: part.keys }, path);
      if (signer.ok) signers.push(signer.value);
      else findings.push(...signer.findings);
    }
    return findings.length > 0 ? { ok: false, findings } : compiled(joined(signers));
  }
  const recipes = recipesOf(proof, signing, path);
  return recipes.ok ? compileRecipeSigner(recipes.value[0], signing.keys, path) : recipes;
}

/** What `compileSigner` makes. */
export interface MessageSigner {
  /** What the address must have in its query before it is signed (`name=value`); mostly nothing. */
  query(message: Pick<OutgoingMessage, 'headers' | 'body'>): string | undefined;
  /** `undefined` where no key is in force. Throws where the message lacks what is signed. */
  sign(message: OutgoingMessage): Record<string, string> | undefined;
}

/**
 * Compiles what proves us to a receiver, by the data that verifies the same scheme on the way in. Findings are below
 * `path`. A scheme with alternatives signs by its first; where its header can carry several signatures, there is one per
 * key in force, else the first key in force signs.
 */
export function compileSigner(signing: Signing, path = 'spec'): Compiled<MessageSigner> {
  const scheme = findScheme(signing.scheme, `${path}.scheme`);
  if (!scheme.ok) return scheme;
  const signer = compileProof(scheme.value.proof, signing, path);
  if (!signer.ok) return signer;
  const { query } = scheme.value;
  return compiled({ query: (message) => query?.(message), sign: (message) => signer.value.sign(message) });
}

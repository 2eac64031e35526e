import type { Compiled } from '../errors.ts';
import type { EndpointEntry, HmacRecipe, KeyMaterial } from '../routing/table.ts';
import type { PayloadRules } from './payload-rules.ts';
import type { Verifier } from './verifier.ts';

/** What is signed when an event leaves. Texts are Unicode; header names are lower-case. */
export interface OutgoingMessage {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly type: string;
  readonly body: Buffer;
  /** Absolute: what the receiver is called by. */
  readonly url: string;
  /** The other headers that leave with it, for schemes that sign some. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Makes the headers that prove a message. Throws where the message lacks what is signed, or no key is in force. */
export interface Signer {
  sign(message: OutgoingMessage): Record<string, string>;
}

/** Proved by one of several recipes: data. */
export interface RecipeProof {
  /** Empty where the endpoint brings none (`HMAC` without `spec.hmac`). */
  recipes(entry: { readonly hmac?: HmacRecipe }): readonly HmacRecipe[];
}

/** Proved in a way that no recipe tells: code. */
export interface CodeProof {
  compile(entry: EndpointEntry, path: string): Compiled<Verifier>;
  compileSigner(keys: readonly KeyMaterial[], path: string): Compiled<Signer>;
}

/** One way to prove who sent a request, and what is known of those who use it. */
export interface Scheme {
  readonly proof: RecipeProof | CodeProof;
  /** What becomes of a payload that is no CloudEvent. */
  readonly payload: PayloadRules;
  /** Whether `payload.id` yields the provider's own id for every payload it sends. */
  readonly providerId: boolean;
  /** Whether `ce-*` headers count: not where the provider's signature leaves them open to forgery and it sends none. */
  readonly binary: 'Accept' | 'Ignore';
  /** The endpoint takes `specversion: v1.0` as `1.0`, and any non-empty `source`. */
  readonly lenientEvents: boolean;
}

import type { Compiled } from '../errors.ts';
import type { EndpointEntry, HmacRecipe, KeyMaterial } from '../routing/table.ts';
import type { JwksSource } from './jwks-source.ts';
import type { PayloadRules } from './payload-rules.ts';
import type { Recipe } from './recipe-plan.ts';
import type { SignedRequest, Verifier } from './verifier.ts';

/** What is signed when an event leaves. Texts are Unicode; header names are lower-case. */
export interface OutgoingMessage {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly body: Buffer;
  /** Absolute: what the receiver is called by. */
  readonly url: string;
  /** The other headers that leave with it, for schemes that sign some. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Makes the headers that prove a message. */
export interface Signer {
  /** `undefined` where no key is in force. Throws where the message lacks what is signed. */
  sign(message: OutgoingMessage): Record<string, string> | undefined;
}

/** Proved by one of several recipes: data. */
export interface RecipeProof {
  /** Empty where the endpoint brings none (`HMAC` without `spec.hmac`). */
  recipes(entry: { readonly hmac?: HmacRecipe }): readonly Recipe[];
}

/** Proved in a way that no recipe tells: code. */
export interface CodeProof {
  compile(entry: EndpointEntry, path: string, jwks: JwksSource): Compiled<Verifier>;
  compileSigner(keys: readonly KeyMaterial[], path: string): Compiled<Signer>;
}

/** Proved as the key tells: each key belongs to the first part that takes it, and the last part takes any. */
export interface ProofByKey {
  readonly byKey: readonly {
    /** Whether a key, as it stands in its Secret, is one of this kind. */
    readonly takes: (key: string) => boolean;
    readonly proof: RecipeProof | CodeProof;
  }[];
}

export type Proof = RecipeProof | CodeProof | ProofByKey;

/** How a scheme's sender is answered where it is not the product's 202 with what became of the event. */
export interface PresetAnswer {
  readonly status: number;
  /** No body: some senders take one for more than it is. */
  readonly empty: boolean;
}

/** One way to prove who sent a request, and what is known of those who use it. */
export interface Scheme {
  readonly proof: Proof;
  /** What becomes of a payload that is no CloudEvent. */
  readonly payload: PayloadRules;
  /** Whether everything its senders send brings an id of their own: by `payload.id`, or because it is a CloudEvent. */
  readonly providerId: boolean;
  /** Whether `ce-*` headers count: not where the provider's signature leaves them open to forgery and it sends none. */
  readonly binary: 'Accept' | 'Ignore';
  /** The endpoint takes `specversion: v1.0` as `1.0`, and any non-empty `source`. */
  readonly lenientEvents: boolean;
  /** How an accepted event is answered. Left out: as everywhere. */
  readonly answer?: (request: SignedRequest) => PresetAnswer;
  /** Outward: what the address needs in its query before it is signed (`name=value`), where it needs anything. */
  readonly query?: (message: Pick<OutgoingMessage, 'headers' | 'body'>) => string | undefined;
  /** The text that a verified request wants back instead of being an event: a provider that tries out the endpoint. */
  readonly challenge?: (request: SignedRequest) => string | undefined;
}

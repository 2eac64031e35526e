import { type Compiled, compiled } from '../errors.ts';
import type { KeyMaterial } from '../routing/table.ts';
import { byteText, type ContentValues } from './content.ts';
import { createMac } from './mac.ts';
import { planWithKeys } from './recipe.ts';
import type { Recipe, RecipePlan } from './recipe-plan.ts';
import type { OutgoingMessage, Signer } from './scheme.ts';
import { MAX_SIGNATURES, writeSignatures } from './signature-header.ts';
import { writeTimestamp } from './timestamp.ts';

/** What a recipe signs of a message. Throws where the message lacks some of it. */
export interface Content {
  readonly head: string;
  readonly body: Buffer;
  readonly tail: string;
  /** As they are written: Unix time or RFC 3339; one character per byte. */
  readonly timestamp: string;
  readonly id: string;
}

export function contentOf(plan: RecipePlan, message: OutgoingMessage): Content {
  const headers = message.headers ?? {};
  for (const name of plan.content.headers) {
    if (headers[name.lower] === undefined)
      throw new Error(`header ${name.shown} is signed by this scheme; add it to the message`);
  }
  const timestamp = writeTimestamp(message.timestamp, plan.unit);
  const id = byteText(message.id);
  const values: ContentValues = { timestamp, id, url: byteText(message.url), headers };
  const body = plan.content.body === undefined ? message.body : plan.content.body(message.body, values);
  if (typeof body === 'string') throw new Error(`${body}; this scheme cannot sign it`);
  return { head: plan.content.head(values), body, tail: plan.content.tail(values), timestamp, id };
}

/** The headers beside the signature: those that carry what is signed with it. */
export function companions(plan: RecipePlan, { timestamp, id }: Content): Record<string, string> {
  const headers: Record<string, string> = {};
  if (plan.id?.header !== undefined) headers[plan.id.header.shown] = id;
  if (plan.timestamp?.header !== undefined) headers[plan.timestamp.header.shown] = timestamp;
  return headers;
}

/**
 * The recipe engine outward: what it signs, `compileRecipe` takes. Where the header can carry several signatures,
 * there is one per key in force; else the first key in force signs.
 */
export function compileRecipeSigner(
  recipe: Recipe,
  keys: readonly KeyMaterial[],
  path: string,
): Compiled<Signer> {
  // The message brings its whole address, so nothing is put before it.
  const keyed = planWithKeys(recipe, keys, path, '');
  if (!keyed.ok) return keyed;
  const { plan } = keyed.value;
  const mac = createMac(plan.algorithm);
  const ready = keyed.value.keys.map((key) => ({ notAfter: key.notAfter, padded: mac.prepare(key.bytes) }));
  const most = plan.shape.separator === '' ? 1 : MAX_SIGNATURES;
  return compiled({
    sign(message) {
      const inForce = ready.filter((key) => message.timestamp < key.notAfter).slice(0, most);
      if (inForce.length === 0) return undefined;
      const content = contentOf(plan, message);
      const digest = mac.over(content.head, content.body, content.tail);
      const signatures = inForce.map((key) =>
        plan.encoding.written(plan.encoding.canonical(digest(key.padded, plan.encoding.node))),
      );
      const { timestamp, id } = content;
      const header = writeSignatures(plan.shape, { signatures, timestamp, id });
      return { ...companions(plan, content), [plan.header.shown]: header };
    },
  });
}

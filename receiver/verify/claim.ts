import { type ContentValues, headerText } from './content.ts';
import type { RecipePlan, TextSource } from './recipe-plan.ts';
import { readSignatures } from './signature-header.ts';
import type { SignedRequest } from './verifier.ts';

/** What a request claims: its signatures, and the values that they are made over. */
export interface Claim {
  readonly signatures: readonly string[];
  readonly values: ContentValues;
  /** The body, or what the scheme signs in its place. */
  readonly body: Buffer;
}

function absentSignature(plan: RecipePlan): string {
  const { fields, prefix } = plan.shape;
  const what = fields === undefined ? 'signature' : `field "${fields.signature}"`;
  return `header ${plan.header.shown} has no ${what}${prefix === '' ? '' : ` that begins with "${prefix}"`}`;
}

function textOf(source: TextSource | undefined, field: string | undefined, request: SignedRequest) {
  return source?.header === undefined ? field : headerText(request.headers, source.header.lower);
}

/** Which of the texts that the plan needs is not there, as a sentence. */
function missing(plan: RecipePlan, request: SignedRequest, found: { timestamp: unknown; id: unknown }) {
  if (plan.timestamp !== undefined && found.timestamp === undefined)
    return `${plan.timestamp.shown} is missing`;
  if (plan.content.usesId && found.id === undefined) return `${plan.id?.shown ?? 'id'} is missing`;
  for (const name of plan.content.headers) {
    if (request.headers[name.lower] === undefined) return `header ${name.shown}, which is signed, is missing`;
  }
  return undefined;
}

/** Finds what verification needs in a request, or says in one sentence what is missing. */
export function readClaim(plan: RecipePlan, request: SignedRequest): Claim | string {
  const header = headerText(request.headers, plan.header.lower);
  if (header === undefined) return `header ${plan.header.shown} is missing`;
  const fields = readSignatures(header, plan.shape);
  if (fields.signatures.length === 0) return absentSignature(plan);
  const timestamp = textOf(plan.timestamp, fields.timestamp, request);
  const id = textOf(plan.id, fields.id, request);
  const cause = missing(plan, request, { timestamp, id });
  if (cause !== undefined) return cause;
  const url = plan.content.usesUrl ? plan.publicUrl + request.url : '';
  const { headers } = request;
  const values = { timestamp: timestamp ?? '', id: id ?? '', url, headers };
  const body = plan.content.body === undefined ? request.body : plan.content.body(request.body, values);
  if (typeof body === 'string') return body;
  return { signatures: fields.signatures, values, body };
}

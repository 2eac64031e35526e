/** What a signature header holds. */
export interface SignatureFields {
  readonly signatures: readonly string[];
  readonly timestamp: string | undefined;
  readonly id: string | undefined;
}

/** How a signature header is written. */
export interface HeaderShape {
  readonly prefix: string;
  /** Empty: the whole header is one signature. */
  readonly separator: string;
  readonly fields:
    | { readonly signature: string; readonly timestamp: string | undefined; readonly id: string | undefined }
    | undefined;
}

/** Each signature is compared with every key, so their number is bounded. */
export const MAX_SIGNATURES = 16;

function take(signatures: string[], text: string, prefix: string): void {
  if (signatures.length < MAX_SIGNATURES && text.startsWith(prefix))
    signatures.push(text.slice(prefix.length));
}

/** Reads a signature header. What has another prefix or name (`v0`, `v1a`) is passed over. */
export function readSignatures(value: string, shape: HeaderShape): SignatureFields {
  const signatures: string[] = [];
  let timestamp: string | undefined;
  let id: string | undefined;
  const { fields, prefix, separator } = shape;
  if (separator === '') {
    take(signatures, value, prefix);
    return { signatures, timestamp, id };
  }
  for (const raw of value.split(separator)) {
    const part = raw.trim();
    if (fields === undefined) {
      take(signatures, part, prefix);
      continue;
    }
    const equals = part.indexOf('=');
    const name = part.slice(0, Math.max(equals, 0)).trimEnd();
    const text = part.slice(equals + 1).trimStart();
    if (name === fields.signature) take(signatures, text, prefix);
    // The first one counts: a second would be another than the one that was checked.
    else if (name !== '' && name === fields.timestamp) timestamp ??= text;
    else if (name !== '' && name === fields.id) id ??= text;
  }
  return { signatures, timestamp, id };
}

/** Writes a signature header: the same outward. */
export function writeSignatures(shape: HeaderShape, content: SignatureFields): string {
  const { fields, prefix, separator } = shape;
  const signatures = content.signatures.map((signature) => prefix + signature);
  if (fields === undefined) return signatures.join(separator);
  const parts: string[] = [];
  if (fields.timestamp !== undefined) parts.push(`${fields.timestamp}=${content.timestamp ?? ''}`);
  if (fields.id !== undefined) parts.push(`${fields.id}=${content.id ?? ''}`);
  for (const signature of signatures) parts.push(`${fields.signature}=${signature}`);
  return parts.join(separator);
}

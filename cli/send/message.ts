import { UsageError } from '../exit-codes.ts';

/** What `send` was asked to say. */
export interface MessageInput {
  /** undefined: no data. */
  readonly body: Buffer | undefined;
  readonly contentType: string;
  /** CloudEvents attributes; with a `type` among them a CloudEvent is sent, else the body as the provider's own payload. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly mode: 'structured' | 'binary';
}

/** What goes over the wire, before it is signed. */
export interface Message {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const NAME = /^[a-z0-9]+$/;

/**
 * Makes the request's content: a CloudEvent (structured by default, because then the signature covers its attributes too),
 * or the payload as it is. The data's bytes stay as they were given. Throws UsageError.
 */
export function buildMessage(input: MessageInput): Message {
  const { attributes, body, contentType } = input;
  if (attributes['type'] === undefined) {
    if (body === undefined)
      throw new UsageError(
        'There is nothing to send; give the payload with --data, or a CloudEvent with --type.',
      );
    return { headers: { 'content-type': contentType }, body };
  }
  for (const name of Object.keys(attributes)) {
    if (!NAME.test(name))
      throw new UsageError(`"${name}" is no attribute name; use lower-case letters and digits.`);
  }
  const all = { specversion: '1.0', ...attributes };
  return input.mode === 'binary' ? binary(all, body, contentType) : structured(all, body, contentType);
}

function binary(
  attributes: Readonly<Record<string, string>>,
  body: Buffer | undefined,
  contentType: string,
): Message {
  const headers = Object.entries(attributes).map(([name, value]) => [`ce-${name}`, percentEncoded(value)]);
  const type = body === undefined ? {} : { 'content-type': contentType };
  return { headers: { ...Object.fromEntries(headers), ...type }, body: body ?? Buffer.alloc(0) };
}

function structured(
  attributes: Readonly<Record<string, string>>,
  body: Buffer | undefined,
  contentType: string,
): Message {
  const headers = { 'content-type': 'application/cloudevents+json' };
  if (body === undefined) return { headers, body: Buffer.from(JSON.stringify(attributes)) };
  const head = JSON.stringify({ ...attributes, datacontenttype: contentType }).slice(0, -1);
  const data = isJson(contentType, body) ? body : Buffer.from(JSON.stringify(body.toString('base64')));
  const member = data === body ? '"data":' : '"data_base64":';
  return { headers, body: Buffer.concat([Buffer.from(`${head},${member}`), data, Buffer.from('}')]) };
}

function isJson(contentType: string, body: Buffer): boolean {
  const mediaType = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  if (mediaType !== 'application/json' && !mediaType.endsWith('+json')) return false;
  try {
    JSON.parse(body.toString());
    return true;
  } catch {
    throw new UsageError('The data is not JSON; correct it, or say what it is with --content-type.');
  }
}

/** CloudEvents HTTP binding 3.1.3.2: space, double quote, percent and what is not printable ASCII. */
function percentEncoded(value: string): string {
  return value.replaceAll(/[^\x21\x23\x24\x26-\x7e]+/g, (run) =>
    [...Buffer.from(run)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

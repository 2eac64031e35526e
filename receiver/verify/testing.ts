import type { KeyMaterial } from '../routing/table.ts';
import type { SignedRequest } from './verifier.ts';

/** A key of that text, for tests. */
export function keyOf(text: string, over: Partial<KeyMaterial> = {}): KeyMaterial {
  return { name: 'current', secret: Buffer.from(text).toString('base64'), ...over };
}

/** A POST with those headers (any case) and that body, for tests. */
export function requestOf(
  headers: Readonly<Record<string, string>>,
  body: string | Buffer = '',
  url = '/e/source',
): SignedRequest {
  const lower = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  return { method: 'POST', url, headers: lower, body: Buffer.from(body) };
}

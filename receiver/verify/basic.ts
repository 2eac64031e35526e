import { headerText } from './content.ts';
import { decodeBase64 } from './encoding.ts';
import { member } from './payload-rules.ts';
import type { Scheme } from './scheme.ts';
import { tokenProof } from './token.ts';
import type { SignedRequest } from './verifier.ts';

function credentials({ headers }: SignedRequest): string | undefined {
  const [, encoded] = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(headerText(headers, 'authorization') ?? '') ?? [];
  return encoded === undefined ? undefined : decodeBase64(encoded)?.toString('latin1');
}

/**
 * HTTP Basic (RFC 7617). The key is `user:password` as one text: a user has no colon, so the first one parts them, and
 * the password may hold more.
 */
export const basic: Scheme = {
  proof: tokenProof({
    shown: credentials,
    place: 'header Authorization with Basic credentials',
    show: (pair) => ({ Authorization: `Basic ${Buffer.from(pair, 'latin1').toString('base64')}` }),
    fault: (pair) => (pair.includes(':') ? undefined : 'is not user:password'),
  }),
  payload: { type: member('type'), id: member('id') },
  providerId: false,
  binary: 'Accept',
  lenientEvents: false,
};

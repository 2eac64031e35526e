import type { OutboundClient } from '../deliver/outbound.ts';
import type { FetchJwks } from './jwks-source.ts';

/** Far more than any issuer publishes. */
const MAX_BYTES = 1_048_576;
const TIMEOUT_MS = 5000;

/** Fetches JWKS documents by the one guarded way out: 1 MiB, 5 s, no redirects, addresses checked. */
export function fetchJwksBy(client: Pick<OutboundClient, 'get'>): FetchJwks {
  return (uri) =>
    new Promise((resolve, reject) => {
      const request = {
        url: uri,
        headers: { accept: 'application/jwk-set+json, application/json' },
        timeoutMs: TIMEOUT_MS,
        maxAnswerBytes: MAX_BYTES,
      };
      client.get(request, (answer, failure) => {
        if (answer === undefined) reject(new Error(failure?.message ?? 'no answer'));
        else if (answer.status !== 200) reject(new Error(`its address answered ${answer.status}`));
        else if (answer.body.length >= MAX_BYTES)
          reject(new Error(`they are larger than ${MAX_BYTES} bytes`));
        else resolve(answer.body.toString('utf8'));
      });
    });
}

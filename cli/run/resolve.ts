import { UsageError } from '../exit-codes.ts';

/** Reads `kind/namespace/name=URL` pairs into the map that the planner looks references up in. Throws UsageError. */
export function parseResolve(pairs: readonly string[]): ReadonlyMap<string, string> {
  const resolve = new Map<string, string>();
  for (const pair of pairs) {
    const match = /^([^/=]+\/[^/=]+\/[^/=]+)=(.+)$/.exec(pair);
    const [, reference, url] = match ?? [];
    if (reference === undefined || url === undefined || !isHttpUrl(url)) {
      throw new UsageError(
        `--resolve ${pair} is not understood; write kind/namespace/name=URL, for example Service/shop/ojs=http://127.0.0.1:8585.`,
      );
    }
    resolve.set(reference, url);
  }
  return resolve;
}

/** Whether a text is an absolute http or https URL. */
export function isHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:');
}

import type { SignedRequest, Verdict } from './verifier.ts';

/** The two families of names that Standard Webhooks' headers have. */
export type Family = 'webhook' | 'svix';

const OTHER: Readonly<Record<Family, Family>> = { webhook: 'svix', svix: 'webhook' };

/**
 * The request as the family that verified it proves it: without the other's headers, which nobody signed. A sender may
 * give both, and a captured request can be given any that it did not have.
 */
export function provedBy(family: Family, request: SignedRequest): SignedRequest {
  const other = OTHER[family];
  const headers = { ...request.headers };
  for (const part of ['id', 'timestamp', 'signature']) delete headers[`${other}-${part}`];
  return { ...request, headers, family };
}

/** The verdict of a recipe, with the family that the recipe is of. */
export function ofFamily(verdict: Verdict, family: Family | undefined): Verdict {
  return verdict.ok && family !== undefined ? { ...verdict, family } : verdict;
}

import { UsageError } from '../exit-codes.ts';

/** What a provider says about its payload in headers of its own. */
export interface ProviderFacts {
  /** `--event`: the provider's name for what happened. */
  readonly event: string | undefined;
  /** `--id`, or a fresh one. */
  readonly id: string;
}

type ProviderHeaders = (facts: ProviderFacts) => Readonly<Record<string, string>>;

const NONE: ProviderHeaders = () => ({});

/** By scheme; the schemes that are not here say everything in the payload and the signature. */
const HEADERS: ReadonlyMap<string, ProviderHeaders> = new Map<string, ProviderHeaders>([
  [
    'GitHub',
    ({ event, id }) => {
      if (event === undefined)
        throw new UsageError(
          'GitHub names the event in a header; give it with --event, for example --event push.',
        );
      return { 'x-github-event': event, 'x-github-delivery': id };
    },
  ],
  [
    'Shopify',
    ({ event, id }) => {
      if (event === undefined)
        throw new UsageError(
          'Shopify names the topic in a header; give it with --event, for example --event orders/create.',
        );
      return { 'x-shopify-topic': event, 'x-shopify-webhook-id': id };
    },
  ],
  ['GitLab', ({ id }) => ({ 'idempotency-key': id })],
  ['Twilio', ({ id }) => ({ 'i-twilio-idempotency-token': id })],
]);

/** The headers that a provider of this scheme sends beside its signature. Throws UsageError where a fact is missing. */
export function providerHeaders(scheme: string, facts: ProviderFacts): Readonly<Record<string, string>> {
  return (HEADERS.get(scheme) ?? NONE)(facts);
}

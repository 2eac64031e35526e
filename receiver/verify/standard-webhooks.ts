import type { HmacRecipe } from '../routing/table.ts';
import { firstOf, header, member, type PayloadRule } from './payload-rules.ts';
import type { Scheme } from './scheme.ts';
import { parseRfc3339 } from './timestamp.ts';

/** `v1,<Base64>` over `id.timestamp.body`, several separated by spaces; the key is Base64 after `whsec_`. */
function recipe(family: string): HmacRecipe {
  return {
    header: `${family}-signature`,
    prefix: 'v1,',
    separator: ' ',
    timestamp: { header: `${family}-timestamp` },
    id: { header: `${family}-id` },
    encoding: 'Base64',
    keyEncoding: 'Base64',
    keyPrefix: 'whsec_',
    signedContent: '{id}.{timestamp}.{body}',
  };
}

const timestampMember = member('timestamp');
const time: PayloadRule = (payload) => {
  const text = timestampMember(payload);
  return text !== undefined && parseRfc3339(text) !== undefined ? text : undefined;
};

/** Standard Webhooks, also under the header names that Svix gives it. */
export const standardWebhooks: Scheme = {
  proof: { recipes: () => [recipe('webhook'), recipe('svix')] },
  payload: { type: member('type'), id: firstOf(header('webhook-id'), header('svix-id')), time },
  providerId: true,
  binary: 'Accept',
  lenientEvents: false,
};

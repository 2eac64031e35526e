import { headerText } from './content.ts';
import { firstOf, header, member, type PayloadRule, prefixed } from './payload-rules.ts';
import type { Scheme } from './scheme.ts';
import { STANDARD_HMAC, standardId } from './standard-webhooks.ts';
import { tokenProof } from './token.ts';

const ref = member('ref');
const kind = member('object_kind');

/** The CloudEvents adapter's table: a push goes by its commit, a tag by its ref, anything else by the object's id. */
const subject: PayloadRule = (payload) => {
  if (kind(payload) === 'tag_push') return ref(payload);
  return firstOf(member('object_attributes', 'id'), member('checkout_sha'), member('build_id'), ref)(payload);
};

/** The id that is signed; with a token nothing is. */
const signedId: PayloadRule = (payload) =>
  payload.request.family === undefined ? undefined : standardId(payload);

/**
 * `X-Gitlab-Token`, shown as it is. A key that begins with `whsec_` is one of GitLab's signing tokens: it verifies the
 * Standard Webhooks signature that GitLab makes with it, and is never taken as a token.
 */
export const gitlab: Scheme = {
  proof: {
    byKey: [
      { takes: (key) => key.startsWith('whsec_'), proof: STANDARD_HMAC },
      {
        takes: () => true,
        proof: tokenProof({
          shown: ({ headers }) => headerText(headers, 'x-gitlab-token'),
          place: 'header X-Gitlab-Token',
          show: (token) => ({ 'X-Gitlab-Token': token }),
        }),
      },
    ],
  },
  payload: {
    type: prefixed('com.gitlab.', kind),
    id: firstOf(signedId, header('Idempotency-Key'), header('X-Gitlab-Event-UUID')),
    source: firstOf(member('project', 'web_url'), member('repository', 'homepage')),
    subject,
  },
  providerId: true,
  binary: 'Ignore',
  lenientEvents: false,
};

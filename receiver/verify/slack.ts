import { viewPayload } from '../event/data-view.ts';
import { firstOf, member, type PayloadRule, prefixed, unixSeconds, valueAt } from './payload-rules.ts';
import type { Scheme } from './scheme.ts';
import type { SignedRequest } from './verifier.ts';

const eventType = member('event', 'type');
const outerType = member('type');
const command = member('command');

/** Events are named by what is in their envelope; commands have no type of their own. */
const type: PayloadRule = (payload) => {
  const inner = eventType(payload) ?? outerType(payload);
  return inner ?? (command(payload) === undefined ? undefined : 'command');
};

const subject = firstOf(
  member('event', 'channel'),
  member('event', 'channel', 'id'),
  member('event', 'item', 'channel'),
  member('event', 'user'),
  member('event', 'user', 'id'),
  member('channel', 'id'),
  member('channel_id'),
  member('user', 'id'),
  member('user_id'),
);

function contentType({ headers }: SignedRequest): string {
  return headers['content-type'] ?? '';
}

/** Slack tries an endpoint out before it sends to it, and again whenever its URL is saved. */
function challenge(request: SignedRequest): string | undefined {
  if (!request.body.includes('url_verification')) return undefined;
  const data = viewPayload(contentType(request), request.body);
  if (valueAt(data, ['type']) !== 'url_verification') return undefined;
  const text = valueAt(data, ['challenge']);
  return typeof text === 'string' ? text : undefined;
}

/**
 * `X-Slack-Signature: v0=…` over `v0:timestamp:body`. A repeat has another timestamp but the same `event_id`. Commands and
 * interactions are answered without a body: Slack would show it to the user.
 */
export const slack: Scheme = {
  proof: {
    recipes: () => [
      {
        header: 'X-Slack-Signature',
        prefix: 'v0=',
        timestamp: { header: 'X-Slack-Request-Timestamp' },
        signedContent: 'v0:{timestamp}:{body}',
      },
    ],
  },
  payload: {
    type: prefixed('com.slack.', type),
    id: member('event_id'),
    source: prefixed('https://slack.com/team/', firstOf(member('team_id'), member('team', 'id'))),
    subject,
    time: unixSeconds('event_time'),
  },
  providerId: false,
  binary: 'Accept',
  lenientEvents: false,
  answer: (request) => ({ status: 200, empty: !contentType(request).includes('json') }),
  challenge,
};

import { member, type PayloadRule, rfc3339 } from './payload-rules.ts';
import type { Scheme } from './scheme.ts';

const PREFIX = 'org.openjobspec.';
const name = member('type');

const type: PayloadRule = (payload) => {
  const text = name(payload);
  return text === undefined || text.startsWith(PREFIX) ? text : PREFIX + text;
};

/** An OJS backend's own webhooks: `X-OJS-Signature: sha256=…`, a comma list while it rotates, over `timestamp.body`. */
export const ojs: Scheme = {
  proof: {
    recipes: () => [
      {
        header: 'X-OJS-Signature',
        prefix: 'sha256=',
        separator: ',',
        timestamp: { header: 'X-OJS-Timestamp' },
        signedContent: '{timestamp}.{body}',
      },
    ],
  },
  payload: {
    type,
    id: member('id'),
    source: member('source'),
    subject: member('subject'),
    time: rfc3339(member('time')),
  },
  providerId: true,
  binary: 'Accept',
  lenientEvents: false,
};

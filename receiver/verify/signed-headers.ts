import { type ContentValues, headerText, type SignedContent } from './content.ts';
import { header, member } from './payload-rules.ts';
import type { Scheme } from './scheme.ts';

const ESCAPES: Readonly<Record<string, string>> = { '%': '%25', '.': '%2E', ';': '%3B' };

/** Without the characters that part one text from the next. */
function escaped(text: string): string {
  return text.replace(/[%.;]/g, (character) => ESCAPES[character] ?? character);
}

/** The headers that say what an event is, beside the two that have places of their own: sorted, `;name=value` each. */
function others({ headers }: ContentValues): string {
  return Object.keys(headers)
    .filter((name) => name === 'content-type' || name.startsWith('ce-'))
    .filter((name) => name !== 'ce-type' && name !== 'ce-instanceid')
    .sort()
    .map((name) => `;${name}=${escaped(headerText(headers, name) ?? '')}`)
    .join('');
}

function head(values: ContentValues): string {
  const { id, timestamp, headers } = values;
  const type = headerText(headers, 'ce-type') ?? '';
  const instance = headerText(headers, 'ce-instanceid') ?? '';
  return `${escaped(id)}.${timestamp}.${escaped(type)}.${escaped(instance)}${others(values)}.`;
}

const content: SignedContent = {
  usesTimestamp: true,
  usesId: true,
  usesUrl: false,
  headers: [],
  head,
  tail: () => '',
};

/**
 * For senders that can choose: Standard Webhooks' headers and keys, and a signature over all that routes an event.
 * What is signed is `id.timestamp.type.instanceid;header=value;….body` (docs/decisions/signed-headers.md).
 */
export const signedHeaders: Scheme = {
  proof: {
    recipes: () => [
      {
        header: 'webhook-signature',
        prefix: 'v1,',
        separator: ' ',
        timestamp: { header: 'webhook-timestamp' },
        id: { header: 'webhook-id' },
        encoding: 'Base64',
        keyEncoding: 'Base64',
        keyPrefix: 'whsec_',
        content,
      },
    ],
  },
  payload: { type: member('type'), id: header('webhook-id') },
  providerId: true,
  binary: 'Accept',
  lenientEvents: false,
};

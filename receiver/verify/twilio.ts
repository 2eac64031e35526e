import { hash, timingSafeEqual } from 'node:crypto';
import { isReadableForm, MOST_FIELDS } from '../event/form.ts';
import { essence } from '../event/media-type.ts';
import { BODY_ALONE, byteText, type ContentValues, headerText, type SignedContent } from './content.ts';
import { firstOf, header, member, type PayloadRule, prefixed } from './payload-rules.ts';
import type { Scheme } from './scheme.ts';

const EMPTY = Buffer.alloc(0);
const FORM = 'application/x-www-form-urlencoded';

/** The parameters of a form, sorted by name, each name followed by its values; a value that repeats counts once. */
function sortedParameters(body: Buffer): Buffer {
  const parameters = new Map<string, Set<string>>();
  for (const [name, value] of new URLSearchParams(body.toString('utf8'))) {
    const values = parameters.get(name);
    if (values === undefined) parameters.set(name, new Set([value]));
    else values.add(value);
  }
  const text = [...parameters.keys()]
    .sort()
    .flatMap((name) => [...(parameters.get(name) ?? [])].sort().map((value) => name + value))
    .join('');
  return Buffer.from(text, 'utf8');
}

/** The hash of the body that the URL, which is signed, names. */
function namedHash(url: string): string | undefined {
  return new URLSearchParams(url.slice(url.indexOf('?') + 1)).get('bodySHA256')?.toLowerCase();
}

function hasHash(body: Buffer, named: string): boolean {
  const expected = Buffer.from(hash('sha256', body, 'hex'));
  const claimed = Buffer.from(byteText(named), 'latin1');
  return claimed.length === expected.length && timingSafeEqual(claimed, expected);
}

function isForm(headers: ContentValues['headers']): boolean {
  return essence(headerText(headers, 'content-type') ?? '') === FORM;
}

function signedBody(body: Buffer, { headers, url }: ContentValues): Buffer | string {
  const named = namedHash(url);
  // Of any body: an empty one, or a form of nothing, adds nothing to what is signed.
  if (named !== undefined && !hasHash(body, named)) return 'bodySHA256 in the URL is not that of the body';
  // Nobody is proved yet: what anyone may send must not cost more than a count.
  if (isForm(headers))
    return isReadableForm(body)
      ? sortedParameters(body)
      : `the body is a form of more than ${MOST_FIELDS} fields`;
  return named === undefined && body.length > 0 ? 'bodySHA256 is missing in the URL' : EMPTY;
}

const content: SignedContent = {
  ...BODY_ALONE,
  usesUrl: true,
  head: ({ url }) => url,
  body: signedBody,
};

const status = (thing: string, rule: PayloadRule): PayloadRule => prefixed(`com.twilio.${thing}.`, rule);

/**
 * `X-Twilio-Signature`: Base64 HMAC-SHA1 over the URL that Twilio calls and the sorted parameters of the form; for other
 * bodies over the URL alone, which names the body's SHA-256 in `bodySHA256`. Where it names one, any body must have it.
 */
export const twilio: Scheme = {
  proof: {
    recipes: () => [{ header: 'X-Twilio-Signature', algorithm: 'SHA1', encoding: 'Base64', content }],
  },
  payload: {
    type: firstOf(
      status('message', firstOf(member('MessageStatus'), member('SmsStatus'))),
      status('call', member('CallStatus')),
      prefixed('com.twilio.', member('EventType')),
    ),
    id: header('I-Twilio-Idempotency-Token'),
    source: prefixed('https://api.twilio.com/accounts/', member('AccountSid')),
    subject: firstOf(member('MessageSid'), member('SmsSid'), member('CallSid')),
  },
  providerId: true,
  binary: 'Ignore',
  lenientEvents: false,
  answer: () => ({ status: 204, empty: true }),
  query: ({ headers = {}, body }) =>
    isForm(headers) || body.length === 0 ? undefined : `bodySHA256=${hash('sha256', body, 'hex')}`,
};

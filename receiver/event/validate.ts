import { RequestError } from '../errors.ts';
import { parseRfc3339 } from '../verify/timestamp.ts';
import type { Attributes } from './event.ts';
import { isMediaType } from './media-type.ts';
import { isUri, isUriReference } from './uri.ts';

/** What an entrance lets pass beyond CloudEvents 1.0.2. */
export interface EventRules {
  /** `specversion: v1.0` counts as `1.0`. */
  readonly aliasV1: boolean;
  /** Any non-empty `source` is taken, not only a URI-reference. */
  readonly anySource: boolean;
}

export const STRICT: EventRules = { aliasV1: false, anySource: false };
export const LENIENT: EventRules = { aliasV1: true, anySource: true };

/** A 400 that names the attribute: `attribute id is missing`. */
export function invalidEvent(attribute: string, fault: string): RequestError {
  return new RequestError(400, 'invalid_event', `attribute ${attribute} ${fault}`);
}

/** Whether `name` may name an attribute: lower-case letters and digits (CloudEvents 1.0.2, Naming Conventions). */
export function isAttributeName(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (!((code >= 97 && code <= 122) || (code >= 48 && code <= 57))) return false;
  }
  return name !== '' && name !== 'data';
}

function isNoncharacter(point: number): boolean {
  return (point & 0xfffe) === 0xfffe || (point >= 0xfdd0 && point <= 0xfdef);
}

/** Whether all of `text` is allowed in a CloudEvents String: no control characters, lone surrogates, noncharacters. */
export function isAllowedText(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x20 && code < 0x7f) continue;
    if (code < 0xa0) return false;
    if (code < 0xd800) continue;
    const point = text.codePointAt(i) ?? 0;
    if (point >= 0xd800 && point <= 0xdfff) return false;
    if (isNoncharacter(point)) return false;
    if (point > 0xffff) i++;
  }
  return true;
}

type Check = (value: string, rules: EventRules) => string | undefined;

const nonEmpty: Check = (value) => (value === '' ? 'is empty' : undefined);

const CHECKS: ReadonlyMap<string, Check> = new Map<string, Check>([
  ['id', nonEmpty],
  ['type', nonEmpty],
  ['subject', nonEmpty],
  ['specversion', (value) => (value === '1.0' ? undefined : 'is not "1.0"')],
  [
    'source',
    (value, rules) => {
      if (value === '') return 'is empty';
      return rules.anySource || isUriReference(value) ? undefined : 'is not a URI-reference';
    },
  ],
  ['time', (value) => (parseRfc3339(value) === undefined ? 'is not an RFC 3339 timestamp' : undefined)],
  ['dataschema', (value) => (isUri(value) ? undefined : 'is not a URI')],
  ['datacontenttype', (value) => (isMediaType(value) ? undefined : 'is not a media type')],
]);

const REQUIRED = ['specversion', 'id', 'source', 'type'];

/**
 * Checks attributes against CloudEvents 1.0.2. Throws RequestError 400 `invalid_event` that names the attribute.
 * Names are checked where they come in, since each mode has its own.
 */
export function validate(attributes: Attributes, rules: EventRules): void {
  for (const name of REQUIRED) {
    if (attributes[name] === undefined) throw invalidEvent(name, 'is missing');
  }
  for (const name in attributes) {
    const value = attributes[name] ?? '';
    if (!isAllowedText(value)) throw invalidEvent(name, 'holds a character that CloudEvents does not allow');
    const fault = CHECKS.get(name)?.(value, rules);
    if (fault !== undefined) throw invalidEvent(name, fault);
  }
}

import { RequestError } from '../errors.ts';
import type { CloudEvent } from './event.ts';
import { isReadableForm } from './form.ts';
import { DEEPEST, isTooDeep } from './json-scanner.ts';
import { essence, isJson } from './media-type.ts';

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** An integer past 2^53 stays the text it was: as a number it would be another. */
const keepExact: Reviver = (_key, value, context) => {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || !Number.isInteger(value)) return value;
  return context.source ?? value;
};

/** Refuses JSON that is nested too deeply to be worked with. Throws RequestError 400 `json_too_deep`. */
export function checkDepth(contentType: string | undefined, body: Buffer): void {
  if (isJson(contentType) && isTooDeep(body)) {
    throw new RequestError(400, 'json_too_deep', `the data is JSON nested deeper than ${DEEPEST} levels`);
  }
}

function parseJson(text: string, reviver?: Reviver): unknown {
  try {
    return JSON.parse(text, reviver as (key: string, value: unknown) => unknown) as unknown;
  } catch {
    return undefined;
  }
}

/** A decoded form: one text per name, an array where a name repeats. */
function decodeForm(text: string): Record<string, string | string[]> {
  const form = Object.create(null) as Record<string, string | string[]>;
  for (const [name, value] of new URLSearchParams(text)) {
    const before = form[name];
    if (before === undefined) form[name] = value;
    else if (typeof before === 'string') form[name] = [before, value];
    else before.push(value);
  }
  return form;
}

/** GitHub and Slack send JSON as the one field `payload` of a form. */
function viewForm(text: string, reviver?: Reviver): unknown {
  const form = decodeForm(text);
  const payload = form['payload'];
  if (typeof payload !== 'string' || Object.keys(form).length > 1) return form;
  if (isTooDeep(Buffer.from(payload))) return form;
  return parseJson(payload, reviver) ?? form;
}

function view(contentType: string | undefined, body: Buffer | undefined, reviver?: Reviver): unknown {
  if (body === undefined || body.length === 0) return null;
  if (isJson(contentType)) return parseJson(body.toString('utf8'), reviver) ?? null;
  if (essence(contentType ?? '') !== 'application/x-www-form-urlencoded' || !isReadableForm(body))
    return null;
  return viewForm(body.toString('utf8'), reviver);
}

/** What expressions see as `data`: parsed JSON, a decoded form of at most 1000 fields, else `null`. Never throws. */
export function viewData(event: CloudEvent): unknown {
  return view(event.attributes['datacontenttype'], event.body);
}

const LONG_NUMBER = /\d{16}/;

/**
 * The view that attributes are mapped from: as `viewData`, but integers past 2^53 are texts, so that two ids never
 * become one.
 */
export function viewPayload(contentType: string | undefined, body: Buffer): unknown {
  const exact = LONG_NUMBER.test(body.toString('latin1'));
  return view(contentType, body, exact ? keepExact : undefined);
}

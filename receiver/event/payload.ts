import { type Compiled, compiled, type Finding } from '../errors.ts';
import type { EndpointEntry, EventMapping } from '../routing/table.ts';
import { createContentHash } from '../verify/content-hash.ts';
import { firstOf, type Payload, type PayloadRule, type PayloadRules } from '../verify/payload-rules.ts';
import type { Scheme } from '../verify/scheme.ts';
import { findScheme } from '../verify/schemes.ts';
import { parseRfc3339 } from '../verify/timestamp.ts';
import type { SignedRequest } from '../verify/verifier.ts';
import { addAttribute, finishAttributes, newAttributes } from './attributes.ts';
import { hasEventHeaders } from './binary.ts';
import { checkDepth, viewData, viewPayload } from './data-view.ts';
import { defaultType } from './default-type.ts';
import { CloudEvent } from './event.ts';
import { isMediaType } from './media-type.ts';
import { contentMode, parseCloudEvent } from './parse.ts';
import { isAttributeName, LENIENT, STRICT } from './validate.ts';
import { compileValueSource } from './value-source.ts';

/**
 * The whole step from a verified request to its CloudEvent: a request that already is one stays as it is, any other
 * payload becomes one. `uniqueId` makes an id where nothing in the request identifies it. Throws RequestError.
 */
export type ToEvent = (request: SignedRequest, now: number, uniqueId: () => string) => CloudEvent;

type IdRule = (payload: Payload, uniqueId: () => string) => string;

interface CompiledRules {
  readonly type: PayloadRule;
  readonly id: IdRule;
  readonly source: PayloadRule;
  readonly subject: PayloadRule;
  readonly time: PayloadRule;
  readonly extensions: readonly { readonly name: string; readonly rule: PayloadRule }[];
}

type MappedAttribute = 'type' | 'id' | 'source' | 'subject' | 'time';

const CORE = new Set([
  'specversion',
  'id',
  'source',
  'type',
  'subject',
  'time',
  'dataschema',
  'datacontenttype',
]);

/** Unix time from a mapping, in seconds or (from 1e11 on) milliseconds, becomes RFC 3339; the rest stays as it is. */
function asTime(text: string): string {
  if (parseRfc3339(text) !== undefined || !/^\d{1,14}$/.test(text)) return text;
  const value = Number(text);
  return new Date(value < 1e11 ? value * 1000 : value).toISOString();
}

/** An attribute's rule: `spec.event` first, then the scheme's own. */
function layered(
  name: MappedAttribute,
  entry: { readonly mapping: EventMapping; readonly preset: PayloadRules; readonly path: string },
  findings: Finding[],
): PayloadRule {
  const rules: PayloadRule[] = [];
  const own = entry.mapping[name];
  if (own !== undefined && !('contentHash' in own) && !('unique' in own)) {
    const rule = compileValueSource(own, `${entry.path}.event.${name}`);
    if (rule.ok) rules.push(rule.value);
    else findings.push(...rule.findings);
  }
  const preset = entry.preset[name];
  if (preset !== undefined) rules.push(preset);
  return firstOf(...rules);
}

function compileId(scheme: Scheme, entry: EndpointEntry, mapped: PayloadRule): IdRule {
  const content = createContentHash(scheme, entry);
  const own = entry.event?.id;
  if (own !== undefined && 'contentHash' in own) return ({ request }) => content.hash(request);
  if (own !== undefined && 'unique' in own) return (_payload, uniqueId) => uniqueId();
  return (payload, uniqueId) => {
    const id = mapped(payload);
    if (id !== undefined) return id;
    // Equal bytes are one event only where something in them would differ for another.
    return content.distinct ? content.hash(payload.request) : uniqueId();
  };
}

function compileExtensions(
  mapping: EventMapping,
  path: string,
  findings: Finding[],
): CompiledRules['extensions'] {
  const extensions: { name: string; rule: PayloadRule }[] = [];
  for (const [i, extension] of (mapping.extensions ?? []).entries()) {
    const field = `${path}.event.extensions[${i}]`;
    const { name } = extension;
    if (!isAttributeName(name) || CORE.has(name)) {
      findings.push({
        field: `${field}.name`,
        message: `"${name}" is no extension name; use a to z and 0 to 9`,
      });
    } else if (extensions.some((other) => other.name === name)) {
      findings.push({ field: `${field}.name`, message: `"${name}" is given twice; keep one` });
    }
    const rule = compileValueSource(extension, field);
    if (rule.ok) extensions.push({ name, rule: rule.value });
    else findings.push(...rule.findings);
  }
  return extensions;
}

/** Makes the event of a payload that is none. Its bytes stay as they came. */
function fromPayload(
  rules: CompiledRules,
  defaults: { readonly type: string; readonly source: string },
  request: SignedRequest,
  uniqueId: () => string,
): CloudEvent {
  const { body } = request;
  const given = request.headers['content-type'];
  const contentType = given !== undefined && isMediaType(given) ? given : undefined;
  checkDepth(contentType, body);
  const payload: Payload = { request, data: viewPayload(contentType, body) };
  const attributes = newAttributes();
  const set = (name: string, value: string | undefined) => {
    if (value !== undefined) addAttribute(attributes, name, value);
  };
  set('specversion', '1.0');
  set('id', rules.id(payload, uniqueId));
  set('source', rules.source(payload) ?? defaults.source);
  set('type', rules.type(payload) ?? defaults.type);
  set('subject', rules.subject(payload));
  const time = rules.time(payload);
  set('time', time === undefined ? undefined : asTime(time));
  set('datacontenttype', contentType);
  for (const { name, rule } of rules.extensions) set(name, rule(payload));
  const empty = body.length === 0 && contentType === undefined;
  return new CloudEvent(finishAttributes(attributes, STRICT), empty ? undefined : body, viewData);
}

/**
 * Compiles `spec.event` over the defaults of the endpoint's scheme, once. Findings are below `path` (`spec.event.…`).
 */
export function compileEventMapping(entry: EndpointEntry, path = 'spec'): Compiled<ToEvent> {
  const found = findScheme(entry.scheme, `${path}.scheme`);
  if (!found.ok) return found;
  const scheme = found.value;
  const findings: Finding[] = [];
  const mapping = entry.event ?? {};
  const layers = { mapping, preset: scheme.payload, path };
  const rules: CompiledRules = {
    type: layered('type', layers, findings),
    id: compileId(scheme, entry, layered('id', layers, findings)),
    source: layered('source', layers, findings),
    subject: layered('subject', layers, findings),
    time: layered('time', layers, findings),
    extensions: compileExtensions(mapping, path, findings),
  };
  if (findings.length > 0) return { ok: false, findings };
  const takesHeaders = (mapping.binary ?? scheme.binary) === 'Accept';
  const eventRules = scheme.lenientEvents ? LENIENT : STRICT;
  const defaults = { type: defaultType(entry.source), source: `/e/${entry.source}` };
  return compiled((request, _now, uniqueId) => {
    const isEvent =
      contentMode(request.headers['content-type']) !== 'binary' ||
      (takesHeaders && hasEventHeaders(request.headers));
    if (isEvent) return parseCloudEvent(request.headers, request.body, eventRules);
    return fromPayload(rules, defaults, request, uniqueId);
  });
}

/**
 * Whether a payload that is sent again is known again at this endpoint: by a mapped id, the provider's own, or the hash
 * of content that holds a timestamp or an id. Where not, the condition `Deduplicated=False` says to set `event.id`.
 */
export function deduplicates(entry: Pick<EndpointEntry, 'scheme' | 'hmac' | 'event'>): boolean {
  const id = entry.event?.id;
  if (id !== undefined) return !('unique' in id);
  const scheme = findScheme(entry.scheme, 'spec.scheme');
  if (!scheme.ok) return false;
  return scheme.value.providerId || createContentHash(scheme.value, entry).distinct;
}

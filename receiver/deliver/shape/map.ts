import { type Compiled, compiled, type Finding } from '../../errors.ts';
import { CloudEvent } from '../../event/event.ts';
import { isJson } from '../../event/media-type.ts';
import { type Budget, createBudget } from '../../expression/budget.ts';
import { eventJson } from '../../expression/event-json.ts';
import { compileTemplate, type Template } from '../../expression/template.ts';
import type { EventMap } from '../../routing/table.ts';
import { RenderError } from '../renderer.ts';
import { madeJson } from './made-json.ts';
import { compileMapValue, findingsOf, isSource, isString, type MappedText } from './map-value.ts';

/** Makes the event that leaves of the one that came. Throws RenderError. */
export type EventMapper = (event: CloudEvent) => CloudEvent;

const EXTENSION_NAME = /^[a-z0-9]{1,64}$/;
/** The attributes of the specification that are no extensions, and `data`, which is no attribute. */
const NO_EXTENSIONS = new Set([
  'id',
  'source',
  'type',
  'specversion',
  'subject',
  'time',
  'datacontenttype',
  'dataschema',
  'data',
]);
/** Attributes that guard against loops. */
const KEPT = new Set(['signalboxorigin', 'signalboxhops']);

interface Change {
  readonly attribute: string;
  readonly field: string;
  /** undefined drops the attribute. */
  readonly text: MappedText | undefined;
  readonly required: boolean;
}

interface Draft {
  readonly path: string;
  readonly changes: Change[];
  readonly findings: Finding[];
  /** One for all that a map evaluates of an event. */
  readonly budget: Budget;
}

/**
 * Compiles `map`: what is named is replaced, the rest leaves as it came. A path that yields nothing leaves `subject` or
 * an extension out, and is an error for `type` and `source`. A data template makes JSON data.
 */
export function compileMap(map: EventMap, path: string): Compiled<EventMapper> {
  const drafted: Draft = { path, changes: [], findings: [], budget: createBudget() };
  const { changes, findings, budget } = drafted;
  collectAttributes(map, drafted);
  collectExtensions(map, drafted);
  let template: Template | undefined;
  if (map.data !== undefined) {
    const result = compileTemplate(map.data.template, `${path}.data.template`, budget);
    if (result.ok) template = result.value;
    else findings.push(...result.findings);
  }
  if (findings.length > 0) return { ok: false, findings };
  return compiled((event) => {
    budget.reset();
    return apply(event, changes, template, path);
  });
}

function collectAttributes(map: EventMap, { path, changes, findings, budget }: Draft): void {
  for (const attribute of ['type', 'source', 'subject'] as const) {
    const mapped = map[attribute];
    if (mapped === undefined) continue;
    const field = `${path}.${attribute}`;
    const text = compileMapValue(mapped, field, attribute === 'source' ? isSource : isString, budget);
    findings.push(...findingsOf([text]));
    if (text.ok) changes.push({ attribute, field, text: text.value, required: attribute !== 'subject' });
  }
}

function collectExtensions(map: EventMap, { path, changes, findings, budget }: Draft): void {
  for (const [attribute, mapped] of Object.entries(map.extensions ?? {})) {
    const field = `${path}.extensions.${attribute}`;
    const fault = extensionFault(attribute);
    if (fault !== undefined) {
      findings.push({ field, message: fault });
      continue;
    }
    if (mapped === null) {
      changes.push({ attribute, field, text: undefined, required: false });
      continue;
    }
    const text = compileMapValue(mapped, field, isString, budget);
    findings.push(...findingsOf([text]));
    if (text.ok) changes.push({ attribute, field, text: text.value, required: false });
  }
}

function extensionFault(name: string): string | undefined {
  if (KEPT.has(name)) return 'guards against loops and cannot be mapped; leave it out';
  if (NO_EXTENSIONS.has(name))
    return 'is no extension; map type, source, subject and data by their own fields, the rest stays as it came';
  return EXTENSION_NAME.test(name) ? undefined : 'is no extension name; use lower-case letters and digits';
}

function apply(
  event: CloudEvent,
  changes: readonly Change[],
  template: Template | undefined,
  path: string,
): CloudEvent {
  const root = eventJson(event);
  const attributes: Record<string, string> = Object.create(null);
  Object.assign(attributes, event.attributes);
  for (const change of changes) {
    const text = change.text === undefined ? undefined : evaluate(() => change.text?.(root), change.field);
    if (text !== undefined) attributes[change.attribute] = text;
    else if (change.required)
      throw new RenderError(
        change.field,
        'the path yields nothing for this event; choose one that always does',
      );
    else delete attributes[change.attribute];
  }
  if (template === undefined) return new CloudEvent(attributes, event.body, () => event.data, event.context);
  const data = evaluate(() => template(root), `${path}.data.template`);
  const text = evaluate(() => madeJson(data, event.body?.length ?? 0), `${path}.data.template`);
  if (!isJson(attributes['datacontenttype'])) attributes['datacontenttype'] = 'application/json';
  return new CloudEvent(attributes, Buffer.from(text), () => data, event.context);
}

/** Runs an expression of the author's: what goes wrong there is the event's fate, not the receiver's. */
export function evaluate<T>(expression: () => T, field: string): T {
  try {
    return expression();
  } catch (error) {
    throw new RenderError(field, error instanceof Error ? error.message : String(error), error);
  }
}

import { isUtf8 } from 'node:buffer';
import { type Compiled, compiled, type Finding, refused } from '../../errors.ts';
import type { CloudEvent } from '../../event/event.ts';
import { isJsonText } from '../../event/json-scanner.ts';
import { isJson, isUtf8Text } from '../../event/media-type.ts';
import { createBudget } from '../../expression/budget.ts';
import { eventJson } from '../../expression/event-json.ts';
import { compileJsonPath, type JsonPath } from '../../expression/json-path.ts';
import { compileTemplate, oneValue } from '../../expression/template.ts';
import type { JobArgs } from '../../routing/table.ts';
import { madeJson } from './made-json.ts';

/** The JSON text of an array: written whole, or bytes that stay as they came and what goes around them. */
export type ArgsText = string | { readonly open: string; readonly raw: Buffer; readonly close: string };

/** Writes an event's arguments. Throws an Error. */
export type ArgsWriter = (event: CloudEvent) => ArgsText;

type ArgsCompiler = (args: JobArgs, path: string) => Compiled<ArgsWriter>;

const KINDS: Readonly<Record<keyof JobArgs, ArgsCompiler>> = {
  passThrough: () => compiled(passThrough),
  jsonPath: compilePaths,
  template: compileArgsTemplate,
};

/** Compiles `args`; none means `passThrough`. */
export function compileArgs(args: JobArgs | undefined, path: string): Compiled<ArgsWriter> {
  const kinds = Object.keys(args ?? {}) as (keyof JobArgs)[];
  const [kind] = kinds;
  if (args === undefined || kind === undefined) return compiled(passThrough);
  if (kinds.length > 1 || !(kind in KINDS))
    return refused(path, 'needs exactly one of passThrough, jsonPath and template');
  return KINDS[kind](args, `${path}.${kind}`);
}

const OPENING_BRACKET = 0x5b;
const NO_ARGUMENTS = '[]';

/**
 * Data as it came: an array is the arguments, any other JSON value the only one, no data none. JSON keeps its bytes, so
 * that no number changes; they are checked first, since bytes that only call themselves JSON could end the envelope.
 * Text becomes one string, anything else one base64 string.
 */
function passThrough(event: CloudEvent): ArgsText {
  const { body } = event;
  const contentType = event.attributes['datacontenttype'];
  if (body === undefined || body.length === 0) return NO_ARGUMENTS;
  if (isJson(contentType)) {
    if (!isUtf8(body) || !isJsonText(body))
      throw new Error(`the event's data is no JSON although its media type says so; correct the sender`);
    return isArray(body) ? { open: '', raw: body, close: '' } : { open: '[', raw: body, close: ']' };
  }
  const text = contentType !== undefined && isUtf8Text(contentType) && isUtf8(body);
  return JSON.stringify([text ? body.toString('utf8') : body.toString('base64')]);
}

function isArray(json: Buffer): boolean {
  let at = 0;
  while ((json[at] ?? OPENING_BRACKET) <= 0x20) at++;
  return json[at] === OPENING_BRACKET;
}

/** One positional argument for each path: its value, several as an array, none as null. */
function compilePaths(args: JobArgs, path: string): Compiled<ArgsWriter> {
  const budget = createBudget();
  const paths: JsonPath[] = [];
  const findings: Finding[] = [];
  args.jsonPath?.forEach((source, i) => {
    const query = compileJsonPath(source, `${path}[${i}]`, budget);
    if (query.ok) paths.push(query.value);
    else findings.push(...query.findings);
  });
  if (findings.length > 0) return { ok: false, findings };
  return compiled((event) => {
    const root = eventJson(event);
    budget.reset();
    const made = paths.map((select) => oneValue(select(root)));
    return madeJson(made, event.body?.length ?? 0);
  });
}

/** A template that makes an array gives the arguments, any other the only one. */
function compileArgsTemplate(args: JobArgs, path: string): Compiled<ArgsWriter> {
  const template = compileTemplate(args.template, path);
  if (!template.ok) return template;
  const make = template.value;
  return compiled((event) => {
    const made = make(eventJson(event));
    return madeJson(Array.isArray(made) ? made : [made], event.body?.length ?? 0);
  });
}

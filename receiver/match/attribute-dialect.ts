import { type Compiled, compiled, type Finding } from '../errors.ts';
import type { CloudEvent } from '../event/event.ts';
import { quoted } from '../expression/quoted.ts';
import type { Anchor, Clause } from './matcher.ts';
import { every, type Predicate } from './predicate.ts';

/** How a dialect compares an attribute with what the filter names. */
export interface Comparison {
  readonly dialect: 'exact' | 'prefix' | 'suffix';
  holds(actual: string, wanted: string): boolean;
  /** The same as a function of its own for one attribute: what ten thousand triggers are asked by. */
  test(name: string, wanted: string): (event: CloudEvent) => boolean;
  /** As in `type "a.b" is not "a.c"`. */
  readonly met: string;
  readonly unmet: string;
}

const ATTRIBUTE_NAME = /^[a-z0-9]+$/;

/**
 * Compiles a dialect over attributes (extensions included): each named attribute must be there and hold, as in Knative.
 * `data` is no attribute.
 */
export function compileAttributes(
  wanted: Readonly<Record<string, string>>,
  path: string,
  comparison: Comparison,
): Compiled<Predicate> {
  const pairs = Object.entries(wanted);
  const findings = pairs.flatMap(([name, value]) => check(name, value, path));
  if (pairs.length === 0)
    findings.push({
      field: path,
      message: 'names no attribute: name at least one, with the value it must have',
    });
  if (findings.length > 0) return { ok: false, findings };
  return compiled({
    matches: every(pairs.map(([name, value]) => comparison.test(name, value))),
    explain: (event) => pairs.map(([name, value]) => explainOne(event, name, value, path, comparison)),
    anchors: pairs.flatMap(([name, value]) => anchorOf(name, value, comparison)),
  });
}

function check(name: string, value: string, path: string): readonly Finding[] {
  if (!ATTRIBUTE_NAME.test(name) || name === 'data') {
    return [
      {
        field: `${path}.${name}`,
        message: `${quoted(name)} is no attribute name: use lower-case letters and digits; for data use spec.condition`,
      },
    ];
  }
  if (value === '') return [{ field: `${path}.${name}`, message: 'is empty: give the text to compare with' }];
  return [];
}

function explainOne(
  event: CloudEvent,
  name: string,
  wanted: string,
  path: string,
  comparison: Comparison,
): Clause {
  const field = `${path}.${name}`;
  const actual = event.attributes[name];
  if (actual === undefined) return { field, met: false, because: `the event has no ${name}` };
  const met = comparison.holds(actual, wanted);
  return {
    field,
    met,
    because: `${name} ${quoted(actual)} ${met ? comparison.met : comparison.unmet} ${quoted(wanted)}`,
  };
}

function anchorOf(attribute: string, value: string, { dialect }: Comparison): readonly Anchor[] {
  return dialect === 'suffix' ? [] : [{ attribute, dialect, values: [value] }];
}

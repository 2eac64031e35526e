import type { Attributes } from './event.ts';
import { type EventRules, invalidEvent, isAttributeName, validate } from './validate.ts';

/** Attributes while they are gathered; `__proto__` is a name like any other. */
export type AttributeRecord = Record<string, string>;

/**
 * Makes a record that inherits nothing. `new` on such a function, where `Object.create(null)` would do, because V8 keeps
 * that one as a hash table, at three times the cost of each use.
 */
export function newAttributes(): AttributeRecord {
  return new Bare();
}

const Bare = function Bare() {} as unknown as new () => AttributeRecord;
Bare.prototype = Object.freeze(Object.create(null));

/** Names under which one and the same attribute comes in. */
const ALIASES: ReadonlyMap<string, string> = new Map([['cxpinstanceid', 'instanceid']]);

/** Adds what a sender wrote. Two names of one attribute may both come, with one value. */
export function addAttribute(attributes: AttributeRecord, name: string, value: string): void {
  if (!isAttributeName(name)) {
    throw invalidEvent(
      JSON.stringify(name.slice(0, 100)),
      'has no valid name; use a to z and 0 to 9, and not "data"',
    );
  }
  const own = ALIASES.get(name) ?? name;
  const other = attributes[own];
  if (other !== undefined && other !== value) throw invalidEvent(own, 'is given twice with different values');
  attributes[own] = value;
}

/** Applies an entrance's rules and checks all that was gathered. */
export function finishAttributes(attributes: AttributeRecord, rules: EventRules): Attributes {
  if (rules.aliasV1 && attributes['specversion'] === 'v1.0') attributes['specversion'] = '1.0';
  validate(attributes, rules);
  return attributes;
}

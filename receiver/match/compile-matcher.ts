import { compileJobType, type JobTypeRule } from '../deliver/shape/job-type.ts';
import { type Compiled, compiled } from '../errors.ts';
import { quoted } from '../expression/quoted.ts';
import type { TriggerEntry } from '../routing/table.ts';
import { allOf } from './all.ts';
import { compileCondition } from './condition.ts';
import { compileCorrelation, keyClause } from './correlation.ts';
import { compileFilters } from './filter.ts';
import type { Anchor, Matcher } from './matcher.ts';
import type { Predicate } from './predicate.ts';

/** A Matcher that the index can file under whichever of its anchors is the rarest. */
export interface AnchoredMatcher extends Matcher {
  readonly anchors: readonly Anchor[];
}

/**
 * Compiles what decides whether a trigger takes an event: filters, then the condition, then the job type (a job target
 * without a type for the event's type takes no such event), then the correlation key (a stream that starts by key). `path` is where the entry's fields stand.
 */
export function compileMatcher(
  entry: Pick<TriggerEntry, 'filters' | 'condition' | 'shape' | 'stream'>,
  path: string = 'spec',
): Compiled<AnchoredMatcher> {
  const parts = [
    compileFilters(entry.filters, `${path}.filters`),
    ...(entry.condition === undefined ? [] : [compileCondition(entry.condition, `${path}.condition`)]),
    ...(entry.shape.job === undefined ? [] : [jobTypePredicate(entry, path)]),
    ...(entry.stream?.correlate === undefined ? [] : [hasKey(entry.stream.correlate, `${path}.correlate`)]),
  ];
  const findings = parts.flatMap((part) => (part.ok ? [] : part.findings));
  if (findings.length > 0) return { ok: false, findings };
  const { matches, explain, anchors } = allOf(parts.flatMap((part) => (part.ok ? [part.value] : [])));
  return compiled({ matches, explain, anchors, anchor: preferred(anchors) });
}

function jobTypePredicate(entry: Pick<TriggerEntry, 'shape'>, path: string): Compiled<Predicate> {
  const rule = compileJobType(entry.shape, path);
  return rule.ok ? compiled(predicateOf(rule.value)) : rule;
}

/** A stream that starts by key takes no event without one. */
function hasKey(source: string, path: string): Compiled<Predicate> {
  const correlation = compileCorrelation(source, path);
  if (!correlation.ok) return correlation;
  const keyOf = correlation.value;
  return compiled({
    matches: (event) => keyOf(event).ok,
    explain: (event) => [keyClause(keyOf(event), path)],
    anchors: [],
  });
}

function predicateOf(rule: JobTypeRule): Predicate {
  return {
    matches: (event) => rule.jobType(event) !== undefined,
    explain: (event) => {
      const jobType = rule.jobType(event);
      if (jobType !== undefined)
        return [{ field: rule.field, met: true, because: `the job type is ${quoted(jobType)}` }];
      return [{ field: rule.field, met: false, because: rule.because(event) }];
    },
    anchors: rule.anchors,
  };
}

/** Without knowing the others: an exact value says more than a prefix, a longer prefix more than a shorter one. */
function preferred(anchors: readonly Anchor[]): Anchor | undefined {
  let best: Anchor | undefined;
  for (const anchor of anchors) if (best === undefined || weight(anchor) > weight(best)) best = anchor;
  return best;
}

function weight(anchor: Anchor): number {
  const shortest = Math.min(...anchor.values.map((value) => value.length));
  return (anchor.dialect === 'exact' ? 10_000 : 0) + shortest - anchor.values.length;
}

import type { Finding } from '../../receiver/errors.ts';
import type { Entry } from '../../receiver/routing/table.ts';
import type { PlannedCondition } from './outcome.ts';
import type { Identity } from './resources.ts';

/** What the API server lets a condition's message hold is more; a person reads less. */
const MAX_MESSAGE = 1024;

/** Why a spec is not taken over: what serves stays as it is. */
export interface Refusal {
  readonly reason: string;
  readonly findings: readonly Finding[];
}

/** Something that is not as the spec says, although the spec is taken over as far as it goes. */
export interface Lack {
  readonly reason: string;
  readonly field: string;
  readonly message: string;
}

export interface Settled<E extends Entry> {
  readonly entry: E | undefined;
  readonly ready: PlannedCondition;
  readonly findings: readonly Finding[];
}

/** Groups in the order in which they name the condition; a resource has all their findings, each told once. */
export function firstRefusal(groups: readonly Refusal[]): Refusal | undefined {
  const first = groups.find((group) => group.findings.length > 0);
  return first && { reason: first.reason, findings: distinct(groups.flatMap((group) => group.findings)) };
}

/** Compilers that need the same part of a spec (two of them a job's type) each find what is wrong with it. */
function distinct(findings: readonly Finding[]): readonly Finding[] {
  const byText = new Map(findings.map((finding) => [`${finding.field}: ${finding.message}`, finding]));
  return [...byText.values()];
}

/** The last good entry, if it is this very resource's (a re-created one inherits nothing) and still good. */
export function lastGood<E extends Entry>(
  previous: E | undefined,
  identity: Identity,
  faults: (entry: E) => readonly Finding[],
): E | undefined {
  if (previous === undefined || previous.uid !== identity.uid) return undefined;
  return faults(previous).length === 0 ? previous : undefined;
}

/** A refused spec: the last good entry, if any, goes on and the condition says which generation it is. */
export function refusedSpec<E extends Entry>(
  refusal: Refusal,
  fallback: E | undefined,
  also?: string,
): Settled<E> {
  const serves = fallback === undefined ? '' : `; generation ${fallback.generation} still serves`;
  const message = `${tell(refusal.findings)}${serves}${also === undefined ? '' : `, but ${also}`}`;
  return {
    entry: fallback,
    ready: { type: 'Ready', status: 'False', reason: refusal.reason, message },
    findings: refusal.findings,
  };
}

/** A spec that is taken over. With lacks it is not Ready; `meanwhile` says what it does nevertheless. */
export function takenSpec<E extends Entry>(entry: E, lacks: readonly Lack[], meanwhile: string): Settled<E> {
  const first = lacks[0];
  if (first === undefined) {
    return { entry, ready: { type: 'Ready', status: 'True', reason: 'Live', message: '' }, findings: [] };
  }
  const message = `${tell(lacks)}; ${meanwhile}`;
  return {
    entry,
    ready: { type: 'Ready', status: 'False', reason: first.reason, message },
    findings: lacks.map(({ field, message }) => ({ field, message })),
  };
}

/** Findings as one sentence that names each field. */
export function tell(findings: readonly Finding[]): string {
  const text = findings.map((finding) => `${finding.field}: ${finding.message}`).join('; ');
  return text.length <= MAX_MESSAGE ? text : `${text.slice(0, MAX_MESSAGE - 1)}…`;
}

import type { RequestError } from '../../receiver/errors.ts';
import type { Preview } from '../../receiver/preview.ts';
import { type Difference, differences } from './differences.ts';
import type { Expected, ExpectedRequest } from './fixtures.ts';

/** What became of a fixture's request. */
export interface Happened {
  /** Of all its events. */
  readonly previews: readonly Preview[];
  readonly refusals: readonly RequestError[];
}

/** How what happened differs from what was expected; empty where it does not. Pure. */
export function checkFixture(expected: Expected, { previews, refusals }: Happened): readonly Difference[] {
  const [refusal] = refusals;
  if (expected.refused !== undefined) return differences(expected.refused, refusal?.code, 'refused');
  if (refusal !== undefined)
    return [{ path: 'refused', expected: undefined, actual: `${refusal.code}: ${refusal.message}` }];
  const taken = previews.filter(({ takes }) => takes);
  return [
    ...checkTaken(expected.taken, taken),
    ...each(expected.sends, (trigger, request) => checkRequest(trigger, request, taken)),
    ...each(expected.saysNo, (trigger, field) => checkNo(trigger, field, previews)),
    ...each(expected.dead, (trigger, reason) => checkDead(trigger, reason, taken)),
  ];
}

function each<T>(
  expected: Readonly<Record<string, T>> | undefined,
  check: (trigger: string, value: T) => readonly Difference[],
): readonly Difference[] {
  return Object.entries(expected ?? {}).flatMap(([trigger, value]) => check(trigger, value));
}

function checkTaken(
  expected: readonly string[] | undefined,
  taken: readonly Preview[],
): readonly Difference[] {
  if (expected === undefined) return [];
  const actual = taken.map(({ trigger }) => trigger);
  const same = differences(expected.toSorted(), actual.toSorted(), 'taken').length === 0;
  return same ? [] : [{ path: 'taken', expected, actual }];
}

function checkRequest(
  trigger: string,
  { url, headers, body }: ExpectedRequest,
  taken: readonly Preview[],
): readonly Difference[] {
  const path = `sends.${trigger}`;
  const preview = taken.find((one) => one.trigger === trigger);
  if (preview?.sends === undefined)
    return [{ path, expected: 'a request', actual: preview?.dead ?? 'it does not take the event' }];
  const { sends } = preview;
  return [
    ...(url === undefined ? [] : differences(url, sends.url, `${path}.url`)),
    ...(headers === undefined ? [] : differences(headers, sends.headers, `${path}.headers`)),
    ...(body === undefined ? [] : differences(body, readable(sends.body), `${path}.body`)),
  ];
}

function readable(body: Buffer): unknown {
  const text = body.toString();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function checkNo(trigger: string, field: string, previews: readonly Preview[]): readonly Difference[] {
  const preview = previews.find((one) => one.trigger === trigger);
  const fields = preview?.no.map((clause) => clause.field);
  if (fields?.includes(field) === true) return [];
  const actual =
    preview === undefined ? 'it does not read from there' : preview.takes ? 'it takes the event' : fields;
  return [{ path: `saysNo.${trigger}`, expected: field, actual }];
}

function checkDead(trigger: string, reason: string, taken: readonly Preview[]): readonly Difference[] {
  const preview = taken.find((one) => one.trigger === trigger);
  if (preview?.dead?.includes(reason) === true) return [];
  const actual = preview === undefined ? 'it does not take the event' : (preview.dead ?? 'it can be sent');
  return [{ path: `dead.${trigger}`, expected: reason, actual }];
}

import { RequestError } from '../errors.ts';
import { jsonOfText, jsonOfTexts } from '../event/json-text.ts';
import type { Outcome } from '../pipeline.ts';
import type { PresetAnswer } from '../verify/scheme.ts';
import { type Answer, emptyAnswer, errorAnswer, jsonAnswer } from './answer.ts';

/**
 * What all events of a request have in common where none was taken: their own status and code, or 400 where they differ.
 * `undefined` where one was taken, or there was none at all.
 */
export function commonRefusal(outcomes: readonly Outcome[]): RequestError | undefined {
  const [first] = outcomes;
  if (!(first instanceof RequestError)) return undefined;
  let { status, code } = first;
  for (const outcome of outcomes) {
    if (!(outcome instanceof RequestError)) return undefined;
    if (outcome.status !== status) status = 400;
    if (outcome.code !== code) code = 'invalid_batch';
  }
  const message =
    outcomes.length === 1
      ? first.message
      : `none of the ${outcomes.length} events was taken: ${first.message}`;
  return new RequestError(status, code, message);
}

const AS_EVERYWHERE: PresetAnswer = { status: 202, empty: false };

/**
 * 202 and one entry per event, in their order, or what this provider takes for an answer; an event that was refused for
 * good has `error` instead.
 */
export function outcomesAnswer(
  outcomes: readonly Outcome[],
  { status, empty }: PresetAnswer = AS_EVERYWHERE,
): Answer {
  const refusal = commonRefusal(outcomes);
  const events = `"events":[${outcomes.map(entryOf).join(',')}]`;
  if (refusal !== undefined)
    return jsonAnswer(refusal.status, `{"error":${JSON.stringify(told(refusal))},${events}}`);
  const answer = empty ? emptyAnswer(status) : jsonAnswer(status, `{${events}}`);
  const instance = onlyInstance(outcomes);
  return instance === undefined
    ? answer
    : { ...answer, headers: { ...answer.headers, 'ce-instanceid': instance } };
}

/** Empty: a Broker turns any body that is no CloudEvent into a failure and sends again. */
export function wholeAnswer(outcomes: readonly Outcome[]): Answer {
  const refusal = commonRefusal(outcomes);
  return refusal === undefined ? emptyAnswer(202) : errorAnswer(refusal);
}

/** The instance that a request's one event met, if it is one. */
function onlyInstance([outcome, ...more]: readonly Outcome[]): string | undefined {
  if (outcome === undefined || outcome instanceof RequestError || more.length > 0) return undefined;
  return outcome.instances.length === 1 ? outcome.instances[0] : undefined;
}

/** JSON text. */
function entryOf(outcome: Outcome): string {
  if (outcome instanceof RequestError) return `{"error":${JSON.stringify(told(outcome))}}`;
  const { differs, source, id, duplicate, triggers, instances } = outcome;
  const repeat = `"duplicate":${duplicate}${differs ? ',"differs":true' : ''}`;
  const takers = `"triggers":${jsonOfTexts(triggers)},"instances":${jsonOfTexts(instances)}`;
  return `{"source":${jsonOfText(source)},"id":${jsonOfText(id)},${repeat},${takers}}`;
}

function told({ code, message }: RequestError): { readonly code: string; readonly message: string } {
  return { code, message };
}

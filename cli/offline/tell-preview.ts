import type { CloudEvent } from '../../receiver/event/event.ts';
import type { Preview, PreviewedRequest } from '../../receiver/preview.ts';
import { tellUntyped } from '../untyped.ts';

/** An event and what each trigger would make of it, as a person would tell it; `idle` names triggers that are invalid. */
export function tellPreview(
  event: CloudEvent,
  previews: readonly Preview[],
  idle: readonly string[],
): string {
  const taken = previews.filter(({ takes }) => takes).map(({ trigger }) => trigger);
  return [
    `Event ${event.type}, id ${event.id}, of ${event.source}`,
    taken.length === 0 ? 'No trigger would take it.' : `It would be taken by ${taken.join(', ')}.`,
    ...tellUntyped(event.type, taken.length > 0),
    ...previews.flatMap((preview) => ['', ...tellTrigger(preview)]),
    ...idle.flatMap((trigger) => [
      '',
      `${trigger} is invalid and was not asked: correct what its finding names.`,
    ]),
  ].join('\n');
}

function tellTrigger({ trigger, takes, no, entrances, sends, waits, dead }: Preview): readonly string[] {
  if (!takes) return [`${trigger} says no:`, ...no.map(({ field, because }) => `  ${field}: ${because}`)];
  return [
    `${trigger} takes it, from ${entrances.join(', ')}:`,
    ...(waits === undefined ? [] : [`  It would wait: ${waits}.`]),
    ...(dead === undefined ? [] : [`  It would be a dead letter at once: ${dead}.`]),
    ...(sends === undefined ? [] : tellRequest(sends)),
  ];
}

function tellRequest({ url, headers, adds, signedBy, body }: PreviewedRequest): readonly string[] {
  return [
    `  POST ${url ?? 'to where its ref leads in the cluster'}`,
    ...Object.entries(headers).map(([name, value]) => `  ${name}: ${value}`),
    ...adds.map((name) => `  ${name}: (its own)`),
    ...(signedBy === undefined ? [] : [`  (signed by ${signedBy})`]),
    '',
    ...shownBody(body).map((line) => `  ${line}`),
  ];
}

function shownBody(body: Buffer): readonly string[] {
  const text = body.toString();
  try {
    return JSON.stringify(JSON.parse(text), null, 2).split('\n');
  } catch {
    return /^[\P{Cc}\s]*$/u.test(text) ? text.split('\n') : [`(${body.length} bytes)`];
  }
}

/** The same for scripts: bodies that are JSON as JSON, others in base64. */
export function previewJson(event: CloudEvent, previews: readonly Preview[]): object {
  return {
    attributes: event.attributes,
    triggers: previews.map(({ sends, ...rest }) =>
      sends === undefined ? rest : { ...rest, sends: requestJson(sends) },
    ),
  };
}

function requestJson({ body, ...rest }: PreviewedRequest): object {
  try {
    return { ...rest, body: JSON.parse(body.toString()) as unknown };
  } catch {
    return { ...rest, bodyBase64: body.toString('base64') };
  }
}

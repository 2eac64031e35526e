import { columns } from '../columns.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';

/** What an endpoint answered. */
export interface Answer {
  readonly url: string;
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly text: string;
}

interface AcceptedEvent {
  readonly source?: string;
  readonly id?: string;
  readonly duplicate?: boolean;
  readonly differs?: boolean;
  readonly triggers?: readonly string[];
  readonly instances?: readonly string[];
  readonly error?: { readonly code?: string; readonly message?: string };
}

/** 0 accepted, 3 come back later (429, 503), 1 refused. */
export function answerExit(answer: Answer): ExitCode {
  if (answer.status >= 200 && answer.status < 300) return EXIT.ok;
  return answer.status === 429 || answer.status === 503 ? EXIT.unreachable : EXIT.failed;
}

/** The answer for a person: what became of each event, or why it was refused. */
export function printAnswer(answer: Answer): string {
  const body = parsed(answer.text);
  const events = body?.['events'];
  if (Array.isArray(events)) {
    return [`${answer.status} from ${answer.url}`, ...(events as AcceptedEvent[]).map(eventLines)].join('\n');
  }
  const error = body?.['error'] as AcceptedEvent['error'];
  const what = error?.message ?? (answer.text === '' ? 'no body' : answer.text);
  const later = answer.retryAfter === undefined ? '' : ` Retry after ${answer.retryAfter} s.`;
  return `${answer.status} from ${answer.url}: ${what}${later}`;
}

/** The answer as one line of JSON. */
export function printAnswerJson(answer: Answer): string {
  return JSON.stringify({
    url: answer.url,
    status: answer.status,
    answer: parsed(answer.text) ?? answer.text,
  });
}

function eventLines(event: AcceptedEvent): string {
  if (event.error !== undefined) return columns([['refused', event.error.message ?? event.error.code ?? '']]);
  const triggers = event.triggers ?? [];
  const instances = event.instances ?? [];
  const repeat =
    event.differs === true
      ? 'seen before with other content; nothing new happens'
      : 'seen before; nothing new happens';
  return columns([
    ['event', `${event.id ?? ''} from ${event.source ?? ''}`],
    [
      'taken by',
      triggers.length === 0
        ? `no trigger; \`signalbox explain ${event.id ?? ''}\` tells why`
        : triggers.join(', '),
    ],
    ...(instances.length === 0 ? [] : [['instance', instances.join(', ')]]),
    ...(event.duplicate === true ? [['repeat', repeat]] : []),
  ]);
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

import type { InstanceItem, InstanceRecord } from '../../receiver/http/instances.ts';
import { columns } from '../columns.ts';
import { shownTime } from './list.ts';

/** When it came to be as it is now. */
export function tellSince({ since }: InstanceItem): string {
  return shownTime(since);
}

type Moment = InstanceRecord['history'][number];

/** An instance's history as a person would tell it. */
export function tellInstance(record: InstanceRecord): string {
  const { id, trigger, key, history, held } = record;
  const ofKey = key === undefined ? '' : ` for the key ${key}`;
  return [
    `Instance ${id} of ${trigger}${ofKey}`,
    tellState(record),
    ...(held === 0 ? [] : [`${held} ${held === 1 ? 'event is' : 'events are'} held for a later step.`]),
    '',
    columns(history.map((moment) => [shownTime(moment.at), tellMoment(moment)])),
  ].join('\n');
}

function tellState({ status, step, waitsFor, since, until, blocked, id }: InstanceRecord): string {
  const at = shownTime(since);
  if (blocked !== undefined) {
    const remedy = `\`signalbox instance retry ${id}\`, skip or cancel moves it on.`;
    return `Blocked at the step ${step ?? ''} since ${at}: ${blocked.reason}\n${remedy}`;
  }
  if (status === 'Waiting') {
    const end = until === undefined ? '' : `, until ${shownTime(until)}`;
    return `Waits at the step ${step ?? ''} for ${waitsFor ?? 'a time'} since ${at}${end}.`;
  }
  if (status === 'Running') return `Runs the step ${step ?? ''} since ${at}: its delivery is under way.`;
  return `${status} since ${at}.`;
}

const TOLD: Readonly<Record<Moment['what'], (moment: Moment) => string>> = {
  started: ({ event }) => `started by ${tellEvent(event)}`,
  waits: ({ step }) => `the step ${step ?? ''} waits`,
  sleeps: ({ step }) => `the step ${step ?? ''} sleeps`,
  woke: ({ step, wait, event }) =>
    event === undefined
      ? `the step ${step ?? ''} woke: its time had come`
      : `the step ${step ?? ''} was woken by ${tellEvent(event)}${wait === step ? '' : `, which is ${wait ?? ''}`}`,
  kept: ({ event }) => `${tellEvent(event)} came early and is held`,
  'turned away': ({ event, why }) => `${tellEvent(event)} was given up: ${why ?? ''}`,
  sent: ({ step }) => `the step ${step ?? ''} was sent`,
  answered: ({ step, why }) => `the step ${step ?? ''} was answered: ${why ?? ''}`,
  skipped: ({ step, why }) => `the step ${step ?? ''} was skipped: ${why ?? ''}`,
  'timed out': ({ step }) => `the step ${step ?? ''} timed out: what it waited for did not come`,
  blocked: ({ step, why }) => `the step ${step ?? ''} is blocked: ${why ?? ''}`,
  retried: ({ step }) => `the step ${step ?? ''} was retried by hand`,
  finished: () => 'finished',
  failed: ({ why }) => `failed: ${why ?? ''}`,
  cancelled: () => 'cancelled by hand',
};

function tellMoment(moment: Moment): string {
  return TOLD[moment.what](moment);
}

function tellEvent(event: Moment['event']): string {
  return event === undefined ? 'an event' : `${event.type} (${event.id} of ${event.source})`;
}

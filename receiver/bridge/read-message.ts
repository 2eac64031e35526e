import { hash } from 'node:crypto';
import { isAllowedText, isAttributeName } from '../event/validate.ts';
import { rfc3339Text } from '../verify/timestamp.ts';
import { lacking } from './complete.ts';
import { BrokenMessage, type Members, readMembers } from './members.ts';
import { normalise, STANDINGS } from './normalise.ts';
import type { Reading, StateChange } from './reading.ts';

/** What an OJS event envelope names; anything else of it may be an extension. */
const ENVELOPE = new Set([
  'specversion',
  'id',
  'type',
  'source',
  'time',
  'subject',
  'data',
  'datacontenttype',
  'dataschema',
]);
/** Bits of a hash as hex, 128. */
const DIGITS = 32;
const STATE_CHANGED = 'job.state_changed';

/**
 * Reads one message of a backend: an event envelope (ojs-events), which is one event, or a report of a job
 * (`{"event":"job.state_changed",…}`, what real backends stream), which is one or two. Throws BrokenMessage where not
 * even a type can be read.
 */
export function readMessage(json: Buffer): readonly Reading[] {
  const members = readMembers(json);
  const event = members.text('event');
  if (event !== undefined && members.raw('specversion') === undefined)
    return readReport(json, members, event);
  return [readEnvelope(json, members)];
}

function readEnvelope(json: Buffer, members: Members): Reading {
  const type = members.text('type');
  if (type === undefined) throw new BrokenMessage('the event has no type');
  const data = members.raw('data');
  const subject = subjectOf(members.text('subject'));
  // A time that is none is left out: the event can be read without.
  const time = rfc3339Text(members.text('time'));
  const about = data === undefined || data[0] !== OPENING_BRACE ? undefined : readMembers(data);
  return {
    id: allowed(members.text('id') ?? contentId(json), 'id'),
    type: allowed(type, 'type'),
    time,
    subject,
    data,
    source: allowed(members.text('source') ?? '', 'source') || undefined,
    extensions: extensionsOf(members),
    queue: about?.text('queue'),
    jobType: about?.text('job_type'),
    ...(subject === undefined ? {} : aboutJob(type, subject, time, data === undefined || about)),
  };
}

const OPENING_BRACE = 0x7b;

/** What an envelope says of a job's way; `data` is true where it has none, undefined where it is no object. */
function aboutJob(
  type: string,
  jobId: string,
  time: string | undefined,
  data: Members | true | undefined,
): Pick<Reading, 'standing' | 'lacks'> {
  const to = STANDINGS.get(type);
  const lacks = data === undefined ? [] : lacking(type, data === true ? undefined : data);
  return {
    ...(to === undefined ? {} : { standing: { jobId, from: '', to, at: time ?? '' } }),
    ...(lacks.length === 0 ? {} : { lacks }),
  };
}

function readReport(json: Buffer, members: Members, event: string): readonly Reading[] {
  const jobId = members.text('job_id');
  const jobType = members.text('type') ?? '';
  const queue = members.text('queue') ?? 'default';
  const at = rfc3339Text(members.text('timestamp'));
  const to = members.text('to');
  if (event === STATE_CHANGED && jobId !== undefined && to !== undefined) {
    const change: StateChange = {
      jobId: allowed(jobId, 'job_id'),
      jobType,
      queue,
      from: members.text('from') ?? '',
      to,
      at: at ?? '1970-01-01T00:00:00Z',
    };
    return normalise(change);
  }
  return [
    {
      id: contentId(json),
      type: allowed(event, 'event'),
      time: at,
      subject: subjectOf(jobId),
      data: json,
      source: undefined,
      extensions: {},
      queue: members.text('queue'),
      jobType: members.text('type'),
    },
  ];
}

function extensionsOf(members: Members): Readonly<Record<string, string>> {
  const extensions: Record<string, string> = {};
  for (const name of members.names) {
    if (ENVELOPE.has(name) || !isAttributeName(name) || !members.isScalar(name)) continue;
    const value = members.text(name) ?? members.raw(name)?.toString('latin1') ?? '';
    if (value !== '' && value !== '""' && isAllowedText(value)) extensions[name] = value;
  }
  return extensions;
}

function subjectOf(text: string | undefined): string | undefined {
  return text !== undefined && isAllowedText(text) ? text : undefined;
}

/** For an event without an id: the same event has the same. */
function contentId(json: Buffer): string {
  return `evt_${hash('sha256', json, 'hex').slice(0, DIGITS)}`;
}

function allowed(text: string, name: string): string {
  if (isAllowedText(text)) return text;
  throw new BrokenMessage(`its ${name} holds a character that CloudEvents does not allow`);
}

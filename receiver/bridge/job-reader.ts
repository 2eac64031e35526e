import type { Answer, Failure, OutboundClient } from '../deliver/outbound.ts';
import type { OjsSource } from '../routing/table.ts';
import { type JobRecord, readJob } from './job-record.ts';
import { BrokenMessage, itemsOf, readRawMembers } from './members.ts';

/** One page of a backend's jobs. */
export interface JobPage {
  readonly jobs: readonly JobRecord[];
  /** Jobs on this page, whether they could be read or not. */
  readonly count: number;
  /** How many jobs there are in all, where it is told. */
  readonly total: number | undefined;
  /** How far the backend's clock is ahead of ours, in milliseconds. */
  readonly aheadMs: number;
}

/** Why jobs could not be read. */
export interface JobsUnread {
  readonly cause: string;
  /** There is no such endpoint, or the token may not use it. */
  readonly missing: boolean;
}

/** Reads jobs of a backend. Never throws. */
export interface JobReader {
  /** undefined: the job is not there, or cannot be read now. */
  job(id: string): Promise<JobRecord | undefined>;
  /** Newest first, from page 1 on. */
  page(page: number): Promise<JobPage | JobsUnread>;
}

const TIMEOUT_MS = 5000;
const JOB_BYTES = 2 << 20;
/** Arguments and results travel along. */
const LIST_BYTES = 64 << 20;
/** The most that backends give out at once. */
export const PAGE_SIZE = 100;
const REFUSED = new Set([401, 403, 404, 405, 501]);

/** Makes a JobReader. */
export function createJobReader(
  { backend, queues }: OjsSource,
  client: Pick<OutboundClient, 'read'>,
  now: () => number,
): JobReader {
  // The list takes one queue: with several, all jobs are read and the others passed over.
  const queue = queues.length === 1 ? `&queue=${encodeURIComponent(queues[0] ?? '')}` : '';

  function read(path: string, query: string, maxAnswerBytes: number): Promise<Answer | Failure> {
    const target = { destination: backend, path, headers: { accept: 'application/json' } };
    const request = { ...target, ...(query === '' ? {} : { query }), timeoutMs: TIMEOUT_MS, maxAnswerBytes };
    return new Promise((resolve) => {
      client.read(request, (answer, failure) => resolve(answer ?? failure ?? NO_ANSWER));
    });
  }

  return {
    async job(id) {
      // Half a surrogate pair has no place in an address.
      const answer = await read(`/ojs/v1/jobs/${encodeURIComponent(id.toWellFormed())}`, '', JOB_BYTES);
      if ('code' in answer || answer.status !== 200) return undefined;
      return tried(() => readJob(answer.body));
    },
    async page(page) {
      const asked = now();
      const answer = await read(LIST, `page=${page}&per_page=${PAGE_SIZE}${queue}`, LIST_BYTES);
      if ('code' in answer) return { cause: `${LIST}: ${answer.message}`, missing: false };
      if (answer.status !== 200)
        return { cause: `${LIST} answered ${answer.status}`, missing: REFUSED.has(answer.status) };
      const items = tried(() => readRawMembers(answer.body));
      const list = items?.raw('items') ?? items?.raw('jobs');
      if (items === undefined || list === undefined)
        return { cause: `${LIST} answered what is no list of jobs`, missing: true };
      const all = tried(() => itemsOf(list)) ?? [];
      const pagination = items.raw('pagination');
      const total = Number(
        (pagination && tried(() => readRawMembers(pagination).text('total'))) ??
          items.text('total') ??
          Number.NaN,
      );
      return {
        jobs: all.flatMap((item) => tried(() => readJob(item)) ?? []),
        count: all.length,
        total: Number.isNaN(total) ? undefined : total,
        aheadMs: aheadOf(answer.headers.date, asked),
      };
    },
  };
}

const LIST = '/ojs/v1/admin/jobs';
const NO_ANSWER: Failure = { code: 'NoAnswer', message: 'no answer' };
/** The header counts whole seconds, and the answer took its time. */
const CLOCK_NOISE_MS = 2000;

function aheadOf(date: string | undefined, asked: number): number {
  const ahead = Date.parse(date ?? '') - asked;
  return Number.isNaN(ahead) || Math.abs(ahead) < CLOCK_NOISE_MS ? 0 : ahead;
}

/** What cannot be read counts as not there. */
function tried<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof BrokenMessage || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

import type { Jobs } from './jobs.ts';

/** How the backend's own worker works. */
export interface WorkerOptions {
  /** How long a job takes. */
  readonly workMs: number;
  /** Every so manieth job fails; 0: none. */
  readonly failEvery: number;
}

const AT_ONCE = 32;
const LOOK_MS = 50;

/** Works at all queues until it is stopped. */
export function startWorker(jobs: Jobs, { workMs, failEvery }: WorkerOptions): () => void {
  let given = 0;
  let underWay = 0;
  const timers = new Set<NodeJS.Timeout>();

  function end(id: string, number: number): void {
    underWay -= 1;
    if (failEvery > 0 && number % failEvery === 0)
      jobs.nack(id, { code: 'handler_error', message: 'asked to fail', retryable: true });
    else jobs.ack(id, { worked: true });
  }

  const looking = setInterval(() => {
    for (const { id } of jobs.fetch([], AT_ONCE - underWay)) {
      given += 1;
      underWay += 1;
      const number = given;
      const timer = setTimeout(() => {
        timers.delete(timer);
        end(id, number);
      }, workMs);
      timers.add(timer);
    }
  }, LOOK_MS);
  return () => {
    clearInterval(looking);
    for (const timer of timers) clearTimeout(timer);
  };
}

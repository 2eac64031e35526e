/**
 * What a delivery carries out for a value stream: `<instance id>/<step>`. What becomes of it moves that instance on, in
 * the same transaction.
 */
export interface StepTask {
  readonly instance: string;
  readonly step: string;
}

/** The task of an event that was a stream's and that no step took: an attempt offers it to the stream again. */
export const UNUSED_TASK = 'unused';

export function taskOf({ instance, step }: StepTask): string {
  return `${instance}/${step}`;
}

/** The instance and the step of a task; undefined where it is no step's. */
export function stepTask(task: string | undefined): StepTask | undefined {
  const slash = task?.indexOf('/') ?? -1;
  if (task === undefined || slash < 0) return undefined;
  return { instance: task.slice(0, slash), step: task.slice(slash + 1) };
}

import type { JobShape, Shape } from '../../receiver/routing/table.ts';
import { type PlannedDestination, planJob, planSink, type Surroundings } from './destination.ts';
import type { Reader } from './reading.ts';
import type { EventTriggerSpec, JobTarget, Target } from './resources.ts';
import { withoutUndefined } from './without-undefined.ts';

/** Where a target leads; `path` is where it stands: the spec, or a step of it. undefined: neither job nor sink is set. */
export function planTarget(
  target: Target | undefined,
  around: Surroundings,
  reader: Reader,
  path: string,
): PlannedDestination | undefined {
  if (target?.job !== undefined) return planJob(target.job, around, path);
  if (target?.sink !== undefined) return planSink(target.sink, around, reader, `${path}.target.sink`);
  return undefined;
}

/** What a target is sent. */
export function makeShape({ map, target }: Pick<EventTriggerSpec, 'map' | 'target'>): Shape {
  const { job, sink } = target ?? {};
  return withoutUndefined<Shape>({
    map,
    sink: sink && { format: sink.format ?? 'binary' },
    job: job && jobShape(job),
  });
}

function jobShape(job: JobTarget): JobShape {
  const { type, types, stripPrefix, args, options } = job;
  return withoutUndefined<JobShape>({ type, types, stripPrefix, args, options: options && { ...options } });
}

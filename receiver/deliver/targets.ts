import type { Destination } from '../routing/table.ts';
import { job } from './targets/job.ts';
import type { Target } from './targets/reading.ts';
import { sink } from './targets/sink.ts';

/** Every kind of target, by its name in `spec.target`. */
export const TARGETS: Readonly<Record<Destination['kind'], Target>> = { job, sink };

import { compileJob } from './job.ts';
import { compileSink } from './sink.ts';
import type { ShapeCompiler } from './target-renderer.ts';

/** Every kind of target, by its member in a Shape. */
export const SHAPES: Readonly<Record<'job' | 'sink', ShapeCompiler>> = { job: compileJob, sink: compileSink };

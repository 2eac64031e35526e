import type { Compiled } from '../../errors.ts';
import type { CloudEvent } from '../../event/event.ts';
import type { Shape } from '../../routing/table.ts';
import type { RenderContext, Rendered } from '../renderer.ts';
import type { EventMapper } from './map.ts';

/** Renders one event for one kind of target. Throws RenderError. */
export type TargetRenderer = (event: CloudEvent, context: RenderContext) => Rendered;

/** Compiles what a kind of target is sent; the event it gets goes through `map` first. */
export type ShapeCompiler = (shape: Shape, path: string, map: EventMapper) => Compiled<TargetRenderer>;

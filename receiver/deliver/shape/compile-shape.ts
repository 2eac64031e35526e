import { type Compiled, compiled, refused } from '../../errors.ts';
import type { Shape } from '../../routing/table.ts';
import type { Renderer } from '../renderer.ts';
import { compileMap, type EventMapper } from './map.ts';
import { findingsOf } from './map-value.ts';
import { SHAPES } from './shapes.ts';

const UNCHANGED: EventMapper = (event) => event;

/** Compiles a Shape: `map`, then what its target is sent. `path` is where the entry's fields stand. */
export function compileShape(shape: Shape, path: string = 'spec'): Compiled<Renderer> {
  const kinds = (['job', 'sink'] as const).filter((kind) => shape[kind] !== undefined);
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1)
    return refused(`${path}.target`, 'needs exactly one of job and sink');
  const map = shape.map === undefined ? compiled(UNCHANGED) : compileMap(shape.map, `${path}.map`);
  const target = SHAPES[kind](shape, path, map.ok ? map.value : UNCHANGED);
  if (!map.ok || !target.ok) return { ok: false, findings: findingsOf([map, target]) };
  return compiled({ render: target.value });
}

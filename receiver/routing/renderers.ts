import type { Renderer } from '../deliver/renderer.ts';
import type { Journal } from '../journal/journal.ts';
import { compilePinned, type PinnedShape } from './pinned-shape.ts';

/** Compiled Shapes by content hash: what is in force and what older deliveries still pin. */
export interface Renderers {
  /** A delivery pins this Shape from now on. */
  pin(shape: PinnedShape): void;
  /** The Renderer of a hash: at once where it was pinned by this process, else from the journal; undefined: unknown. */
  find(hash: string): Renderer | undefined | Promise<Renderer | undefined>;
}

/** Makes a cache over the journal that keeps at most `capacity` compiled Shapes, the least recently pinned going first. */
export function createRenderers(journal: Pick<Journal, 'putShape' | 'shape'>, capacity: number): Renderers {
  const compiled = new Map<string, Renderer>();

  function keep(hash: string, renderer: Renderer): void {
    compiled.set(hash, renderer);
    if (compiled.size <= capacity) return;
    const eldest = compiled.keys().next();
    if (eldest.done !== true) compiled.delete(eldest.value);
  }

  return {
    pin(shape) {
      journal.putShape(shape.hash, shape.text);
      if (!compiled.has(shape.hash)) keep(shape.hash, shape.renderer);
    },
    find(hash) {
      return compiled.get(hash) ?? readBack(hash);
    },
  };

  async function readBack(hash: string): Promise<Renderer | undefined> {
    const text = await journal.shape(hash);
    if (text === undefined) return undefined;
    const renderer = compilePinned(text);
    keep(hash, renderer);
    return renderer;
  }
}

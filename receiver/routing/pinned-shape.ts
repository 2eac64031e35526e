import { hash } from 'node:crypto';
import type { Renderer } from '../deliver/renderer.ts';
import { compileShape } from '../deliver/shape/compile-shape.ts';
import type { Shape } from './table.ts';

/** A Shape by content: what a delivery pins. */
export interface PinnedShape {
  readonly hash: string;
  readonly text: string;
  readonly renderer: Renderer;
}

/** The Renderer of a Shape read back from the journal; throws where this version cannot compile it. */
export function compilePinned(text: string): Renderer {
  const result = compileShape(JSON.parse(text) as Shape);
  if (!result.ok) {
    throw new Error(result.findings.map((finding) => `${finding.field}: ${finding.message}`).join('; '));
  }
  return result.value;
}

/** Pins a Shape. */
export function pinnedShape(shape: Shape): PinnedShape {
  return new LazyShape(shape);
}

/** The name that a text goes by: 128 bits of its hash. */
export function contentHash(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 22);
}

/** Its parts are made when they are first asked for. */
class LazyShape implements PinnedShape {
  readonly #shape: Shape;
  #text: string | undefined;
  #hash: string | undefined;
  #renderer: Renderer | undefined;

  constructor(shape: Shape) {
    this.#shape = shape;
  }

  get text(): string {
    this.#text ??= JSON.stringify(this.#shape);
    return this.#text;
  }

  get hash(): string {
    this.#hash ??= contentHash(this.text);
    return this.#hash;
  }

  get renderer(): Renderer {
    this.#renderer ??= compilePinned(this.text);
    return this.#renderer;
  }
}

/** Whether an event type fits. */
export type Fits = (type: string) => boolean;

const FITS_ALL: Fits = () => true;

/**
 * Compiles globs, of which one has to fit: `*` stands for any characters, dots included, `?` for one. None: every type
 * fits. Linear in the type's length for each glob.
 */
export function compileGlobs(globs: readonly string[]): Fits {
  if (globs.length === 0 || globs.includes('*')) return FITS_ALL;
  const exact = new Set(globs.filter((glob) => !/[*?]/.test(glob)));
  const open = globs.filter((glob) => /[*?]/.test(glob));
  return (type) => exact.has(type) || open.some((glob) => fits(glob, type));
}

/** Goes back to the last star only, which is enough. */
function fits(glob: string, text: string): boolean {
  let g = 0;
  let t = 0;
  let star = -1;
  let mark = 0;
  while (t < text.length) {
    if (g < glob.length && (glob[g] === '?' || (glob[g] !== '*' && glob[g] === text[t]))) {
      g += 1;
      t += 1;
    } else if (glob[g] === '*') {
      star = g;
      mark = t;
      g += 1;
    } else if (star >= 0) {
      g = star + 1;
      mark += 1;
      t = mark;
    } else return false;
  }
  while (glob[g] === '*') g += 1;
  return g === glob.length;
}

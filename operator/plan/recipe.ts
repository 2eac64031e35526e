import type { HmacRecipe } from '../../receiver/routing/table.ts';
import type { Reader } from './reading.ts';
import type { HmacRecipe as HmacSpec } from './resources.ts';
import { withoutUndefined } from './without-undefined.ts';

const TOLERANCE_MS = 300_000;

/** A recipe with the defaults that are not constants, and so are not in the schema. `field` is the recipe's own. */
export function readRecipe(spec: HmacSpec, field: string, reader: Reader): HmacRecipe {
  const { tolerance, separator, ...rest } = spec;
  const timed = spec.timestamp !== undefined || spec.fields?.timestamp !== undefined;
  return withoutUndefined<HmacRecipe>({
    ...rest,
    separator,
    signedContent: spec.signedContent ?? (timed ? '{timestamp}.{body}' : '{body}'),
    toleranceMs: reader.duration(tolerance, `${field}.tolerance`, TOLERANCE_MS),
  });
}

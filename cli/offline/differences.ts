/** Something that is not as it was expected; `undefined`: it is not there. */
export interface Difference {
  readonly path: string;
  readonly expected: unknown;
  readonly actual: unknown;
}

/**
 * How `actual` differs from what was expected of it. Of objects only the members count that the expectation names (null:
 * it is null, or not there); lists are compared as wholes. Pure.
 */
export function differences(expected: unknown, actual: unknown, path: string): readonly Difference[] {
  if (Array.isArray(expected) && Array.isArray(actual)) {
    const length = Math.max(expected.length, actual.length);
    return Array.from({ length }, (_, i) => i).flatMap((i) =>
      i < expected.length && i < actual.length
        ? differences(expected[i], actual[i], `${path}[${i}]`)
        : [{ path: `${path}[${i}]`, expected: expected[i] as unknown, actual: actual[i] as unknown }],
    );
  }
  if (isObject(expected) && isObject(actual))
    return Object.entries(expected).flatMap(([name, value]) =>
      differences(value, Object.hasOwn(actual, name) ? actual[name] : undefined, `${path}.${name}`),
    );
  return expected === (actual ?? (expected === null ? null : actual)) ? [] : [{ path, expected, actual }];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

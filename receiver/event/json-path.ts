import { JSONPathEnvironment, type JSONValue } from 'json-p3';
import { type Compiled, compiled, refused } from '../errors.ts';
import { scalarText } from '../verify/payload-rules.ts';

/** Reads one scalar of a payload as text; `undefined` where there is none. */
export type ScalarPath = (data: unknown) => string | undefined;

/**
 * Compiles a JSONPath (RFC 9535) that names one value: a singular query, of member names and indexes alone. An attribute
 * has one value, and such a path costs the same whatever the payload. `field` is where the path stands.
 */
export function compileScalarPath(path: string, field: string): Compiled<ScalarPath> {
  try {
    const query = new JSONPathEnvironment().compile(path);
    if (!query.singularQuery()) {
      return refused(
        field,
        `"${path}" can yield several values; name one, by member names and indexes ($.order.id)`,
      );
    }
    return compiled((data) => scalarText(query.match(data as JSONValue)?.value));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return refused(field, `"${path}" is no JSONPath (RFC 9535): ${reason}`);
  }
}

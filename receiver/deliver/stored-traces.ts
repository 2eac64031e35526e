import type { Journal } from '../journal/journal.ts';
import type { TraceContext } from '../observe/trace-context.ts';
import type { Tracing } from '../observe/tracing.ts';
import type { Traces } from './engine.ts';

/** What is read back from the journal finds its trace in its event's record. */
export function storedTraces(
  tracing: Tracing | undefined,
  journal: Pick<Journal, 'event'>,
): Traces | undefined {
  if (tracing === undefined) return undefined;
  const contextOf = async (event: number): Promise<TraceContext | undefined> => {
    // Without its record the delivery is made all the same, as a trace of its own.
    const found = await journal.event(event).catch(() => undefined);
    return found && (JSON.parse(found.row.record) as { readonly trace?: TraceContext }).trace;
  };
  return { tracing, contextOf };
}

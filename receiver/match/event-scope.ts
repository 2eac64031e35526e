import type { CloudEvent } from '../event/event.ts';
import type { CelScope } from '../expression/cel.ts';

/** What CEL sees of an event. Data is parsed only where the expression asks for it. */
export function scopeOf(event: CloudEvent): CelScope {
  return {
    event: event.attributes,
    context: event.context,
    get data() {
      return event.data;
    },
  };
}

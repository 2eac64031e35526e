import type { Connection, Ended, Transport } from '../transport.ts';

/**
 * Tries transports in their order until one is there, and begins with that one the next time. What makes it is called
 * once per bridge, so that each remembers its own.
 */
export function firstOf(transports: readonly Transport[]): Transport {
  let best = 0;
  return (parts, listener) => {
    const order = [...transports.keys()].sort((a, b) => rank(a, best) - rank(b, best));
    const missing: string[] = [];
    let connection: Connection | undefined;
    let over = false;
    let paused = false;

    function open(at: number): void {
      const index = order[at];
      const transport = index === undefined ? undefined : transports[index];
      if (index === undefined || transport === undefined) {
        listener.ended({
          cause: `the backend has no way of telling events: ${missing.join('; ')}`,
          missing: true,
        });
        return;
      }
      let current = true;
      const opened = transport(parts, {
        ...listener,
        reads(how) {
          best = index;
          listener.reads(how);
        },
        ended(end: Ended) {
          current = false;
          if (over) return;
          if (!end.missing) {
            listener.ended(end);
            return;
          }
          missing.push(end.cause);
          queueMicrotask(() => {
            if (!over) open(at + 1);
          });
        },
      });
      // One that ended before it was handed back is not at work any more.
      if (!current) return;
      connection = opened;
      if (paused) opened.pause();
    }

    open(0);
    return {
      pause() {
        paused = true;
        connection?.pause();
      },
      resume() {
        paused = false;
        connection?.resume();
      },
      close() {
        over = true;
        connection?.close();
      },
    };
  };
}

function rank(index: number, best: number): number {
  return index === best ? -1 : index;
}

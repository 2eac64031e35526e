import { RequestError } from '../errors.ts';

/** A body on its way. */
export interface Reading {
  /** Bytes that have come. */
  size: number;
  /** Sweeps that it has seen. */
  sweeps: number;
  /** Ends it with a refusal. */
  readonly end: (error: RequestError) => void;
}

/** Ends bodies that come too slowly, so that nobody holds a connection by a byte now and then. */
export interface SlowSenders {
  watch(reading: Reading): void;
  forget(reading: Reading): void;
  /** To be called every `everyMs`. */
  sweep(): void;
}

/** From when on how much of a body must have come. */
export interface Pace {
  /** Milliseconds between two sweeps. */
  readonly everyMs: number;
  /** Milliseconds in which a body may come as it likes. */
  readonly graceMs: number;
  /** Bytes per second, from the request's first moment on. */
  readonly bytesPerSecond: number;
}

/** Slower than this is no network of today but an attack, or a sender that has died. */
export const SLOWEST: Pace = { everyMs: 1000, graceMs: 5000, bytesPerSecond: 1024 };

/** Makes the watch. It counts sweeps and has no clock, so that a fast body costs two entries in a set. */
export function watchSlowSenders({ everyMs, graceMs, bytesPerSecond }: Pace): SlowSenders {
  const readings = new Set<Reading>();
  const grace = graceMs / everyMs;
  const perSweep = (bytesPerSecond * everyMs) / 1000;
  return {
    watch: (reading) => void readings.add(reading),
    forget: (reading) => void readings.delete(reading),
    sweep() {
      for (const reading of readings) {
        reading.sweeps += 1;
        if (reading.sweeps > grace && reading.size < reading.sweeps * perSweep) {
          readings.delete(reading);
          reading.end(tooSlow());
        }
      }
    },
  };
}

function tooSlow(): RequestError {
  return new RequestError(408, 'body_too_slow', 'The body came too slowly; send it again.');
}

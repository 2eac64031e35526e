/** Whoever listens live; each with so many places for what it has not taken yet. */
export interface Subscriber {
  readonly wants: (report: { readonly job_id: string; readonly queue: string }) => boolean;
  readonly send: (text: string) => void;
  /** Bytes that wait to be taken. */
  readonly waiting: () => number;
}

/** A backend's buffer holds 64 events; what comes on top of a full one is dropped, and nobody is told. */
const BUFFER_BYTES = 64 * 300;

/** Live subscribers of one kind of message. */
export interface Subscribers {
  add(subscriber: Subscriber): () => void;
  publish(about: { readonly job_id: string; readonly queue: string }, text: string): void;
  readonly size: number;
}

/** Makes it; every `dropEvery`-th message to each is dropped as if its buffer were full, 0: none. */
export function createSubscribers(dropEvery: number): Subscribers {
  const all = new Set<Subscriber>();
  let published = 0;
  return {
    add(subscriber) {
      all.add(subscriber);
      return () => void all.delete(subscriber);
    },
    publish(about, text) {
      published += 1;
      if (dropEvery > 0 && published % dropEvery === 0) return;
      for (const { wants, send, waiting } of all) if (wants(about) && waiting() < BUFFER_BYTES) send(text);
    },
    get size() {
      return all.size;
    },
  };
}

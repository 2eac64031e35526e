import type { AnchoredMatcher } from '../match/compile-matcher.ts';
import { compileFilters } from '../match/filter.ts';
import { contentHash } from '../routing/pinned-shape.ts';
import type { NamedWaitShape, StreamEntry, StreamShape } from '../routing/table.ts';
import { compileStream, type Stream, streamText } from './stream.ts';

/** A version of a value stream, compiled when an event first comes near. */
export interface RunningStream {
  readonly hash: string;
  readonly text: string;
  readonly stream: Stream;
  /** The filters of the waits with a `correlate`, which is asked of what they fit; undefined: no wait has one. */
  readonly wakes: AnchoredMatcher | undefined;
  /** `EventBridge/namespace/name` of the bridges whose jobs it waits for. */
  readonly bridges: readonly string[];
}

/** The stream of a trigger in force. */
export function runningStream(entry: StreamEntry, namespace: string): RunningStream {
  return new StreamOnDemand(streamText(entry), namespace);
}

/** A stream that instances still run, by the text that was kept of it. */
export function pinnedStream(text: string, namespace: string): RunningStream {
  return new StreamOnDemand(text, namespace);
}

class StreamOnDemand implements RunningStream {
  readonly hash: string;
  readonly text: string;
  readonly wakes: AnchoredMatcher | undefined;
  readonly bridges: readonly string[];
  readonly #namespace: string;
  #stream: Stream | undefined;

  constructor(text: string, namespace: string) {
    this.text = text;
    this.hash = contentHash(text);
    this.#namespace = namespace;
    const shape = JSON.parse(text) as StreamShape;
    this.wakes = wakeMatcher(shape);
    this.bridges = bridgesOf(shape, namespace);
  }

  get stream(): Stream {
    if (this.#stream !== undefined) return this.#stream;
    const result = compileStream(JSON.parse(this.text) as StreamShape, this.#namespace);
    if (!result.ok)
      throw new Error(result.findings.map(({ field, message }) => `${field}: ${message}`).join('; '));
    this.#stream = result.value;
    return result.value;
  }
}

/** The waits that find their instance by a key, in the order of steps. */
function correlated({ steps }: StreamShape): readonly NamedWaitShape[] {
  return steps.flatMap(({ name, wait }) => {
    if (wait === undefined) return [];
    const { filters, correlate } = wait;
    const own = filters === undefined || correlate === undefined ? [] : [{ name, filters, correlate }];
    return [...own, ...(wait.all ?? []), ...(wait.any ?? [])].filter((one) => one.correlate !== undefined);
  });
}

function wakeMatcher(shape: StreamShape): AnchoredMatcher | undefined {
  const waits = correlated(shape);
  if (waits.length === 0) return undefined;
  const any = waits.map(({ filters }) => ({ all: filters }));
  const result = compileFilters([{ any }], 'spec.steps');
  if (!result.ok) return undefined;
  const { matches, explain, anchors } = result.value;
  return { matches, explain, anchors, anchor: anchors[0] };
}

function bridgesOf({ steps }: StreamShape, namespace: string): readonly string[] {
  const names = steps.flatMap(({ wait }) => wait?.job?.eventBridge ?? []);
  return [...new Set(names)].map((name) => `EventBridge/${namespace}/${name}`);
}

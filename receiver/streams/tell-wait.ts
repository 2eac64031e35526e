import type { Filter, StreamShape } from '../routing/table.ts';
import type { Instance } from './instance.ts';

/** What an instance waits for, in a few words; undefined where it does not wait. */
export function tellWait(
  { steps }: StreamShape,
  instance: Pick<Instance, 'status' | 'step' | 'met'>,
): string | undefined {
  const wait = instance.status === 'Waiting' ? steps[instance.step]?.wait : undefined;
  if (wait === undefined) return undefined;
  if (wait.filters !== undefined) return tellFilters(wait.filters);
  if (wait.job !== undefined) return `the job of ${wait.job.step}`;
  const named = wait.all ?? wait.any;
  if (named === undefined) return 'a time';
  const open = named.filter(({ name }) => !instance.met.includes(name));
  const texts = open.map(({ name, filters }) => `${name} (${tellFilters(filters)})`);
  return texts.join(wait.all === undefined ? ' or ' : ' and ');
}

/** The step that an instance is at; undefined where it is past the last. */
export function stepNameOf({ steps }: StreamShape, { step }: Pick<Instance, 'step'>): string | undefined {
  return steps[step]?.name;
}

/** Filters are told by the type that they ask for, where they do. */
function tellFilters(filters: readonly Filter[]): string {
  const types = filters.flatMap(({ exact, prefix }) => {
    const begins = prefix?.['type'];
    return exact?.['type'] ?? (begins === undefined ? [] : [`${begins}*`]);
  });
  return types.length > 0 ? types.join(', ') : JSON.stringify(filters);
}

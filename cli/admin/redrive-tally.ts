import type { RedriveFate, Redriven, RedrivePage } from '../../receiver/deliver/redrive.ts';

/** What the pages of a redrive came to, added up. */
export interface RedriveTally {
  readonly redriven: number;
  /** The same by trigger. */
  readonly triggers: Readonly<Record<string, number>>;
  readonly gone: readonly number[];
  readonly notDead: readonly number[];
  /** Dead letters of triggers that do not exist, by trigger. */
  readonly noTrigger: Readonly<Record<string, number>>;
}

/** Before the first page. */
export const NOTHING_REDRIVEN: RedriveTally = {
  redriven: 0,
  triggers: {},
  gone: [],
  notDead: [],
  noTrigger: {},
};

/** Adds a page. */
export function addPage(tally: RedriveTally, { items }: RedrivePage): RedriveTally {
  const of = (fate: RedriveFate): readonly Redriven[] => items.filter((item) => item.fate === fate);
  const ids = (fate: RedriveFate): readonly number[] => of(fate).map(({ id }) => id);
  return {
    redriven: tally.redriven + of('redriven').length,
    triggers: counted(tally.triggers, of('redriven')),
    gone: [...tally.gone, ...ids('gone')],
    notDead: [...tally.notDead, ...ids('notDead')],
    noTrigger: counted(tally.noTrigger, of('noTrigger')),
  };
}

function counted(
  before: Readonly<Record<string, number>>,
  items: readonly Redriven[],
): Readonly<Record<string, number>> {
  const counts: Record<string, number> = { ...before };
  for (const { trigger = '' } of items) counts[trigger] = (counts[trigger] ?? 0) + 1;
  return counts;
}

/** Whether a redrive found something that it could not bring back. */
export function isPartial({ gone, notDead, noTrigger }: RedriveTally): boolean {
  return gone.length > 0 || notDead.length > 0 || Object.keys(noTrigger).length > 0;
}

/** The tally as a person would tell it, one line for each thing. */
export function tellTally(tally: RedriveTally, dryRun: boolean): readonly string[] {
  const { redriven, gone, notDead, noTrigger } = tally;
  const letters = redriven === 1 ? '1 dead letter' : `${redriven} dead letters`;
  const verb = dryRun ? 'would be due again' : redriven === 1 ? 'is due again' : 'are due again';
  return [
    `${letters} ${verb}.`,
    ...Object.entries(tally.triggers).map(([trigger, count]) => `  ${count} of ${trigger}`),
    ...(gone.length === 0 ? [] : [`Gone: ${gone.join(', ')}; past its retention, or never there.`]),
    ...(notDead.length === 0
      ? []
      : [`Not dead: ${notDead.join(', ')}; \`signalbox deliveries\` tells what became of it.`]),
    ...Object.entries(noTrigger).map(
      ([trigger, count]) =>
        `Left as it is: ${count} of ${trigger}, which does not exist now, or not with that step.`,
    ),
  ];
}

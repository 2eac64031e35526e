import { CONDITIONS, type ConditionType, REASONS } from './conditions.ts';

/** `docs/conditions.md`: every condition, and each of its reasons with what to do. */
export function conditionsPage(): string {
  const types = Object.keys(CONDITIONS) as ConditionType[];
  return [
    '# Conditions and their reasons',
    '',
    '`kubectl get et,eb,whs` shows `Ready` and its reason, `kubectl describe` the message, which names the field. Made from',
    'crds/conditions.ts by crds/generate.ts.',
    '',
    ...types.flatMap((type) => [
      `## ${type}`,
      '',
      CONDITIONS[type],
      '',
      '| Reason | Status | What it means | What to do |',
      '| --- | --- | --- | --- |',
      ...Object.entries(REASONS)
        .filter(([, { condition }]) => condition === type)
        .map(
          ([reason, { status, meaning, remedy }]) => `| \`${reason}\` | ${status} | ${meaning} | ${remedy} |`,
        ),
      '',
    ]),
  ].join('\n');
}

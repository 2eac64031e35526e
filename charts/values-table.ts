import { load } from 'js-yaml';

/** One value of the chart. */
export interface ChartValue {
  /** `receiver.persistence.size` */
  readonly path: string;
  /** As JSON. */
  readonly value: string;
  readonly description: string;
}

/**
 * The values of a values.yaml in their order: each line `# -- text` describes the key that follows it.
 * @throws Error where a key has neither a description nor described keys below it
 */
export function readValues(text: string): readonly ChartValue[] {
  const values = load(text) as Readonly<Record<string, unknown>>;
  const described: ChartValue[] = [];
  const stack: { indent: number; key: string; described: boolean }[] = [];
  let description: string | undefined;
  for (const line of text.split('\n')) {
    const comment = /^\s*# -- (.*)$/.exec(line)?.[1];
    if (comment !== undefined) {
      description = comment;
      continue;
    }
    const [, spaces = '', key] = /^( *)([A-Za-z]+):/.exec(line) ?? [];
    if (key === undefined) continue;
    while ((stack.at(-1)?.indent ?? -1) >= spaces.length) stack.pop();
    const within = stack.some((one) => one.described);
    stack.push({ indent: spaces.length, key, described: description !== undefined });
    const path = stack.map((one) => one.key);
    const value = path.reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], values);
    if (description !== undefined) {
      described.push({ path: path.join('.'), value: JSON.stringify(value), description });
    } else if (!within && (typeof value !== 'object' || value === null)) {
      throw new Error(`values.yaml: ${path.join('.')} has no comment \`# -- …\` above it`);
    }
    description = undefined;
  }
  return described;
}

/** The values as a table in Markdown. */
export function valuesTable(values: readonly ChartValue[]): string {
  const rows = values.map(
    ({ path, value, description }) =>
      `| \`${path}\` | \`${value.replaceAll('|', '\\|')}\` | ${description.replaceAll('|', '\\|')} |`,
  );
  return ['| Value | Default | What it does |', '| --- | --- | --- |', ...rows, ''].join('\n');
}

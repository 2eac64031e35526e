import { readFileSync } from 'node:fs';

const BUNDLE = 'dist/signalbox.js';

/** The bundle as its own first line, and the image, start it: Node's arguments and the environment. */
export function bundleCommand(): {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
} {
  const [first = ''] = readFileSync(BUNDLE, 'utf8').split('\n', 1);
  const variables = [...first.matchAll(/ ([A-Z_]+)=(\S+)/g)].map(([, name = '', value = '']) => [
    name,
    value,
  ]);
  return { args: [...(first.match(/--\S+/g) ?? []), BUNDLE], env: Object.fromEntries(variables) };
}

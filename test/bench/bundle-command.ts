import { readFileSync } from 'node:fs';

/** The bundle as its own first line, and the image, start it: Node's arguments and the environment. */
export function bundleCommand(bundle = 'dist/signalbox.js'): {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
} {
  const [first = ''] = readFileSync(bundle, 'utf8').split('\n', 1);
  const variables = [...first.matchAll(/ ([A-Z_]+)=(\S+)/g)].map(([, name = '', value = '']) => [
    name,
    value,
  ]);
  return { args: [...(first.match(/--\S+/g) ?? []), bundle], env: Object.fromEntries(variables) };
}

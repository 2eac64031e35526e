/**
 * Makes what the chart repeats of other files: the CustomResourceDefinitions as templates, and the README's list of
 * values from the comments of values.yaml.
 *
 *     node charts/generate.ts            writes them
 *     node charts/generate.ts --check    writes nothing; exits 1 if a file is not current
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { KINDS, type Kind } from '../crds/group.ts';
import { readValues, valuesTable } from './values-table.ts';

const CHART = new URL('./signalbox/', import.meta.url);

/** A definition as a template: guarded, and kept on uninstall unless that is not wanted. */
function definitionTemplate(kind: Kind): string {
  const text = readFileSync(new URL(`../crds/${KINDS[kind].plural}.yaml`, import.meta.url), 'utf8');
  const name = `  name: ${KINDS[kind].plural}.signalbox.dev\n`;
  const head = `${name}  labels:\n    app.kubernetes.io/part-of: signalbox\n`;
  if (!text.includes(head)) throw new Error(`crds/${KINDS[kind].plural}.yaml does not begin with\n${head}`);
  const own = [
    name,
    '  labels:\n    {{- include "signalbox.labels" . | nindent 4 }}\n',
    '  {{- if .Values.crds.keep }}\n  annotations:\n    helm.sh/resource-policy: keep\n  {{- end }}\n',
  ];
  const escaped = text.replaceAll('{{', '{{ "{{" }}').replace(head, () => own.join(''));
  const banner = `{{- /* Made from crds/${KINDS[kind].plural}.yaml by charts/generate.ts. */ -}}\n`;
  return `${banner}{{- if .Values.crds.enabled }}\n${escaped.trimEnd()}\n{{- end }}\n`;
}

const BEGIN = '<!-- values: made from values.yaml by charts/generate.ts -->';
const END = '<!-- /values -->';

function readme(): string {
  const text = readFileSync(new URL('README.md', CHART), 'utf8');
  const [before, rest] = text.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined)
    throw new Error(`charts/signalbox/README.md lacks ${BEGIN} or ${END}`);
  const table = valuesTable(readValues(readFileSync(new URL('values.yaml', CHART), 'utf8')));
  return `${before}${BEGIN}\n\n${table}\n${END}${after}`;
}

function textOf(file: URL): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

const check = process.argv.includes('--check');
const files = new Map([[new URL('README.md', CHART), readme()]]);
for (const kind of Object.keys(KINDS) as Kind[])
  files.set(new URL(`templates/crds/${KINDS[kind].plural}.yaml`, CHART), definitionTemplate(kind));
mkdirSync(new URL('templates/crds/', CHART), { recursive: true });
for (const [file, text] of files) {
  if (textOf(file) === text) continue;
  if (check) {
    process.stderr.write(`${file.pathname} is not current: run node charts/generate.ts\n`);
    process.exitCode = 1;
  } else {
    writeFileSync(file, text);
  }
}

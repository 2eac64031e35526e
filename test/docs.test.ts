import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadAll } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../cli/commands/index.ts';
import { main } from '../cli/main.ts';
import { parseOptions, withHelp } from '../cli/options.ts';
import { manifestRules } from '../cli/run/rules.ts';
import { advance, EMPTY_SESSION, type Step } from '../cli/run/session.ts';
import { fakeTerminal } from '../cli/testing/terminal.ts';
import { isKind } from '../crds/group.ts';
import { validateManifest } from '../crds/validate.ts';
import { openStage } from '../receiver/testing.ts';

const ROOT = join(import.meta.dirname, '..');
const EXAMPLES = readdirSync(join(ROOT, 'examples')).filter((name) => name.endsWith('.yaml'));
const PAGES = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map((name) => join('docs', name)),
].filter((name) => name.endsWith('.md'));

function text(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** The fenced blocks of a page, without the indentation of a list they may stand in. */
function blocks(page: string, language: string): readonly string[] {
  const fenced = new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\``, 'gm');
  return [...text(page).matchAll(fenced)].map(([, indent = '', body = '']) =>
    body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );
}

function findings(yaml: string): readonly string[] {
  return loadAll(yaml).flatMap((document) => {
    const { apiVersion, kind } = document as { apiVersion: string; kind: string };
    if (!apiVersion.startsWith('signalbox.dev/')) return [];
    if (!isKind(kind)) return [`${kind} is no kind`];
    return validateManifest(kind, document).findings.map(
      (finding) => `${kind}: ${finding.field}: ${finding.message}`,
    );
  });
}

/** What `signalbox run` makes of examples. */
function planned(names: readonly string[]): Step {
  const files = names.map((name) => ({ path: name, text: text(join('examples', name)) }));
  const resolve = new Map([
    ['Service/shop/ojs', 'http://127.0.0.1:8585'],
    ['Broker/shop/default', 'http://127.0.0.1:9900/broker'],
    ['Service/every/orders', 'http://127.0.0.1:9900'],
  ]);
  const rules = manifestRules({
    resolve,
    publicUrl: 'http://hooks.test',
    clusterUrl: 'http://cluster.test',
    now: Date.now,
  });
  return advance(EMPTY_SESSION, { files, problems: [] }, rules);
}

/** Lines without their indentation: a page shows a part of a manifest further to the left. */
function unindented(yaml: string): string {
  return yaml.replace(/^ +/gm, '');
}

describe('examples', () => {
  it.each(EXAMPLES)('%s fits the schema', (name) => {
    expect(findings(text(join('examples', name)))).toEqual([]);
  });

  it.each(EXAMPLES)('%s runs', (name) => {
    const { problems, session } = planned([name]);
    expect(problems).toEqual([]);
    expect(session.entries.length).toBeGreaterThan(0);
  });

  it('live side by side', () => {
    expect(planned(EXAMPLES).problems).toEqual([]);
  });

  it('have events that are JSON', () => {
    for (const name of readdirSync(join(ROOT, 'examples/events'))) {
      expect(() => JSON.parse(text(join('examples/events', name)))).not.toThrow();
    }
  });
});

describe('fixtures', () => {
  it.each(readdirSync(join(ROOT, 'examples/tests')))('%s are as expected', async (name) => {
    const terminal = fakeTerminal();
    const exit = await main(['test', join(ROOT, 'examples/tests', name)], terminal);
    expect(exit, terminal.outLines.join('\n')).toBe(0);
    expect(terminal.outLines.length).toBeGreaterThan(1);
  });
});

/** The words of a command line. */
function words(line: string): readonly string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

describe('events that are asked about before anything is deployed', async () => {
  const help = (await COMMANDS.get('explain')?.load())?.examples ?? [];
  const shown = blocks('docs/tasks/ask-before-you-deploy.md', 'console').join('\n');
  const lines = [...help, ...[...shown.matchAll(/^\$ (.+)$/gm)].map(([, line = '']) => line)];

  it.each(lines.filter((line) => line.includes(' -f ')))('would be taken: %s', async (line) => {
    const terminal = fakeTerminal();
    expect(await main(words(line).slice(1), terminal), terminal.errLines.join('\n')).toBe(0);
    expect(terminal.outLines.join('\n')).toContain('It would be taken by ');
  });
});

describe.each(PAGES)('%s', (page) => {
  it('has YAML that is valid, or cut out of an example', () => {
    for (const block of blocks(page, 'yaml')) {
      const [, file, rest] = /^# from (examples\/\S+)\n([\s\S]*)$/.exec(block) ?? [];
      if (file === undefined || rest === undefined) expect(findings(block)).toEqual([]);
      else expect(unindented(text(file))).toContain(unindented(rest));
    }
  });

  it('has JSON that parses', () => {
    for (const block of blocks(page, 'json')) expect(() => JSON.parse(block)).not.toThrow();
  });

  it('calls commands that exist, with options that they have and files that are there', async () => {
    for (const [, line = ''] of blocks(page, 'console')
      .join('\n')
      .matchAll(/^\$ signalbox (.+)$/gm)) {
      const [name = '', ...args] = words(line);
      const command = await COMMANDS.get(name)?.load();
      expect(command, line).toBeDefined();
      parseOptions(args, withHelp(command?.options ?? []));
      for (const [, file = ''] of line.matchAll(/@?(examples\/\S+)/g)) text(file);
    }
  });

  it('has no marks of a merge that was not ended', () => {
    expect(text(page)).not.toMatch(/^(?:<<<<<<<|>>>>>>>|=======$)/m);
  });

  it('links to what is there', () => {
    for (const [, link = ''] of text(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
      const path = join(dirname(page), link);
      expect(
        () => (path.endsWith('/') ? readdirSync(join(ROOT, path)) : text(path)),
        `${page} → ${link}`,
      ).not.toThrow();
    }
  });
});

describe('the page of metrics', () => {
  it('names metrics that there are', async () => {
    const named = new Set(text('docs/tasks/watch-it-run.md').match(/\bsignalbox_[a-z_]+/g));
    expect(named.size).toBeGreaterThan(10);
    const stage = await openStage();
    const shown = await (await fetch(`${stage.receiver.addresses.admin}/metrics`)).text();
    await stage.close();
    for (const name of named) expect(shown).toContain(`# HELP ${name} `);
  });
});

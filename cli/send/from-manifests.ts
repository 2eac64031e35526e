import type { Entry } from '../../receiver/routing/table.ts';
import type { Terminal } from '../command.ts';
import { readPaths } from '../manifests/files.ts';
import { manifestRules } from '../run/rules.ts';
import { advance, EMPTY_SESSION } from '../run/session.ts';

/**
 * What the manifests would make a receiver run that is reached by `url`. Findings go to standard error.
 */
export async function plannedEntries(
  paths: readonly string[],
  url: string,
  terminal: Terminal,
): Promise<readonly Entry[]> {
  const publicUrl = URL.parse(url)?.origin ?? '';
  const rules = manifestRules({ resolve: new Map(), publicUrl, clusterUrl: '', now: Date.now });
  const step = advance(EMPTY_SESSION, await readPaths(paths), rules);
  // Only what keeps an endpoint from being found matters here: `run` tells the rest.
  for (const problem of step.problems) {
    if (!problem.startsWith('EventTrigger ') && !problem.startsWith('EventBridge ')) terminal.err(problem);
  }
  return step.session.entries;
}

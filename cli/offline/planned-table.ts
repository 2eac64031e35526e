import { buildRuntime, type Runtime } from '../../receiver/routing/runtime.ts';
import type { Entry } from '../../receiver/routing/table.ts';
import { CommandError } from '../exit-codes.ts';
import { readPaths } from '../manifests/files.ts';
import { manifestRules } from '../run/rules.ts';
import { advance, EMPTY_SESSION } from '../run/session.ts';

/** The table that manifests would put in force, compiled, without anything that runs. */
export interface PlannedTable {
  readonly runtime: Runtime;
  readonly entries: readonly Entry[];
  /** `namespace/name` of the EventTriggers that would not run, being invalid. */
  readonly idleTriggers: readonly string[];
  /** One line per finding, as `signalbox run` tells them. */
  readonly problems: readonly string[];
}

/** Addresses that are known only once something listens. */
const UNKNOWN = { publicUrl: 'http://signalbox.invalid', clusterUrl: 'http://signalbox.invalid' };

/** Plans manifests with the judges of `signalbox run`. Throws CommandError where nothing in them can run. */
export async function plannedTable(
  paths: readonly string[],
  resolve: ReadonlyMap<string, string>,
): Promise<PlannedTable> {
  const { session, table, problems, idleTriggers } = advance(
    EMPTY_SESSION,
    await readPaths(paths),
    manifestRules({ ...UNKNOWN, resolve, now: Date.now }),
  );
  if (table === undefined) {
    const told = problems.length === 0 ? '' : `:\n${problems.join('\n')}`;
    throw new CommandError(`Nothing in ${paths.join(', ')} can run; give other files with -f${told}`);
  }
  return { runtime: buildRuntime(table), entries: session.entries, idleTriggers, problems };
}

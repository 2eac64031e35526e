import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A part of a core that processes have, together with those that they start from then on. */
export interface CoreShare {
  /** Lets them have all there is again. */
  lift(): void;
}

/** How short the slices are that a share is given in, in microseconds: long ones would be seen as latency. */
const PERIOD_US = 10_000;
/** Where Linux has its cgroups for CPU time: version 1, version 2. */
const ROOTS = ['/sys/fs/cgroup/cpu', '/sys/fs/cgroup'];

/** Limits processes to so much of a core, all together. Needs Linux and root; or why that cannot be done. */
export function limitCores(pids: readonly number[], cores: number): CoreShare | { readonly missing: string } {
  const root = ROOTS.find((each) => existsSync(join(each, 'cgroup.procs')));
  if (root === undefined) return { missing: 'there are no cgroups for CPU time' };
  const group = join(root, `signalbox-bench-${pids[0]}`);
  const quota = String(Math.round(cores * PERIOD_US));
  try {
    mkdirSync(group);
    if (existsSync(join(group, 'cpu.cfs_quota_us'))) {
      writeFileSync(join(group, 'cpu.cfs_period_us'), String(PERIOD_US));
      writeFileSync(join(group, 'cpu.cfs_quota_us'), quota);
    } else writeFileSync(join(group, 'cpu.max'), `${quota} ${PERIOD_US}`);
    move(pids, group);
  } catch (error) {
    return { missing: `cgroups cannot be made or joined here: ${String(error)}` };
  }
  return {
    lift() {
      move(readFileSync(join(group, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean), root);
      rmdirSync(group);
    },
  };
}

function move(pids: readonly (number | string)[], to: string): void {
  for (const pid of pids) writeFileSync(join(to, 'cgroup.procs'), String(pid));
}

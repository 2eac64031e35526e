import { validateManifest } from '../../crds/validate.ts';
import { planManifests } from '../../operator/plan/manifests.ts';
import type { EgressPolicy } from '../../receiver/deliver/egress.ts';
import type { Finding } from '../../receiver/errors.ts';
import { compileEntry, egressFindings } from '../../receiver/routing/compile.ts';
import type { Entry } from '../../receiver/routing/table.ts';
import type { SessionRules } from './session.ts';

/** The outbound policy of a machine without a cluster: targets on loopback are the commonest case. */
export const LOCAL_EGRESS: EgressPolicy = { allowLoopback: true, allow: [], deny: [] };

/** The judges of manifests, as a cluster has them: the schema, the planner and the receiver's own compilers. */
export function manifestRules(known: {
  readonly resolve: ReadonlyMap<string, string>;
  /** Base addresses of the listeners; '' where they are not known. */
  readonly publicUrl: string;
  readonly clusterUrl: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Default: `LOCAL_EGRESS`. */
  readonly egress?: EgressPolicy;
  /** False: no token of an issuer can be judged here. Default: true. */
  readonly knowsIssuer?: boolean;
}): SessionRules {
  const { egress = LOCAL_EGRESS, knowsIssuer = true, now, ...rest } = known;
  return {
    validate: validateManifest,
    plan: planManifests,
    notices: knowsIssuer ? () => [] : unknownIssuer,
    now,
    settings: { ...rest, egress: (entry) => egressFindings(entry, egress), check: compileEntry },
  };
}

/** Its other entrances work, and this one answers 503 until somebody can judge a token. */
function unknownIssuer(entry: Entry): readonly Finding[] {
  if (entry.kind !== 'EventTrigger' || entry.from.cluster?.audience === undefined) return [];
  const message =
    'its cluster address answers 503, for no issuer of tokens is known without a cluster: name one with --issuer';
  return [{ field: 'spec.from[].cluster.audience', message }];
}

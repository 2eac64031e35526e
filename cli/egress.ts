import { checkEgressPolicy, type EgressPolicy } from '../receiver/deliver/egress.ts';
import { UsageError } from './exit-codes.ts';
import type { Option, Parsed } from './options.ts';

/** `--egress-…`: where deliveries may go. Operator and receivers are to be given the same. */
export const EGRESS_OPTIONS: readonly Option[] = [
  {
    name: 'egress-allow',
    value: 'CIDR',
    multiple: true,
    help: 'Addresses that targets may have although they are refused by default; may be given again.',
  },
  {
    name: 'egress-deny',
    value: 'CIDR',
    multiple: true,
    help: 'Addresses that targets may not have; the most specific range decides; may be given again.',
  },
  {
    name: 'egress-own-namespace',
    help: 'A target’s uri may name cluster hosts of its resource’s own namespace alone.',
  },
];

/** The policy that the options make. Throws UsageError where a range cannot be read. */
export function egressOf(parsed: Parsed): EgressPolicy {
  const policy = {
    allow: parsed.list('egress-allow'),
    deny: parsed.list('egress-deny'),
    crossNamespace: !parsed.flag('egress-own-namespace'),
  };
  const [finding] = checkEgressPolicy(policy);
  if (finding === undefined) return policy;
  // `egress.allow[0]` is the policy's own name for it.
  const option = finding.field.replace('.', '-').replace(/\[\d+\]$/, '');
  throw new UsageError(`--${option}: ${finding.message}.`);
}

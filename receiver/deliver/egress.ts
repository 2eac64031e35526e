import type { Finding } from '../errors.ts';
import { type AddressBytes, embeddedIPv4, inRange, parseAddress, parseRange, type Range } from './address.ts';
import { leavesNamespace } from './cluster-host.ts';

/** Where the outbound client may connect to (DESIGN.md, invariant 9). */
export interface EgressPolicy {
  /** Opens loopback: `signalbox run`. */
  readonly allowLoopback?: boolean;
  /** CIDR ranges that are open. The most specific range decides; `deny` wins a tie. */
  readonly allow?: readonly string[];
  /** CIDR ranges that are closed; `0.0.0.0/0` and `::/0` close all that `allow` does not open. */
  readonly deny?: readonly string[];
  /**
   * False: a target that is named by its address may not be a cluster host of another namespace than its resource's. Names
   * are then resolved as they stand, without the search domains that lead into namespaces. Default: true.
   */
  readonly crossNamespace?: boolean;
  /** The receiver's own listeners and the API server: never to be reached, whatever is allowed. */
  readonly own?: readonly OwnAddress[];
}

/** One address that is ours. An unspecified address (a listener on every interface) stands for loopback, too. */
export interface OwnAddress {
  readonly address: string;
  /** Left out: every port. */
  readonly port?: number;
}

/** A compiled policy. */
export interface Egress {
  /** Why a connection to this address is refused, as the end of a sentence; undefined where it is allowed. */
  refuses(address: string, port: number): string | undefined;
  /** Names are resolved as they stand, without search domains. */
  readonly absoluteNames: boolean;
}

/** Why an address is refused, and what helps, each as the end of a sentence. */
interface Refusal {
  readonly because: string;
  readonly remedy: string;
}

/** What no policy opens. */
const ELSEWHERE = 'name another host: no egress policy opens it';
const OPEN = 'name another host, or open it in the egress policy';
const CROSS = 'name another host, give a ref instead, or let the egress policy cross namespaces';

interface Rule {
  readonly range: Range;
  readonly open: boolean;
  readonly because: string;
}

/** Compiles a policy. Throws where a range or an address cannot be read: `checkEgressPolicy` says which, before. */
export function compileEgress(policy: EgressPolicy): Egress {
  const refusalOf = compileRefusals(policy);
  return {
    absoluteNames: policy.crossNamespace === false,
    refuses: (address, port) => refusalOf(address, port)?.because,
  };
}

function compileRefusals(policy: EgressPolicy): (address: string, port: number) => Refusal | undefined {
  const findings = checkEgressPolicy(policy);
  const first = findings[0];
  if (first !== undefined) throw new Error(`${first.field}: ${first.message}`);
  const rules = rulesOf(policy);
  const own = (policy.own ?? []).map(({ address, port }) => ({ bytes: bytesOf(address), port }));

  function refusalOfOne(address: AddressBytes, port: number): Refusal | undefined {
    const never = NEVER.find((rule) => inRange(address, rule.range));
    if (never !== undefined) return { because: never.because, remedy: ELSEWHERE };
    if (own.some((one) => isOwn(one, address, port)))
      return { because: 'is an address of this installation itself', remedy: ELSEWHERE };
    const rule = decisive(rules, address);
    return rule === undefined || rule.open ? undefined : { because: rule.because, remedy: OPEN };
  }

  return (address, port) => {
    const bytes = parseAddress(address);
    if (bytes === undefined) return { because: 'is no IP address', remedy: ELSEWHERE };
    for (const one of [bytes, ...embeddedIPv4(bytes)]) {
      const refusal = refusalOfOne(one, port);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  };
}

/** What cannot be read in a policy. */
export function checkEgressPolicy(policy: EgressPolicy): readonly Finding[] {
  const ranges = (['allow', 'deny'] as const).flatMap((member) =>
    (policy[member] ?? []).map((text, i) => ({ field: `egress.${member}[${i}]`, text })),
  );
  const own = (policy.own ?? []).map(({ address }, i) => ({ field: `egress.own[${i}]`, text: address }));
  return [
    ...ranges.filter(({ text }) => parseRange(text) === undefined),
    ...own.filter(({ text }) => parseAddress(text) === undefined),
  ].map(({ field, text }) => ({
    field,
    message: `"${text}" is no address range; write it like 10.0.0.0/8 or fd00::/8`,
  }));
}

/**
 * Why a destination can never be reached under this policy, as far as its text tells: a literal address in any
 * spelling, or a name that is loopback by definition (RFC 6761). Other names are checked when they are resolved.
 * `namespace` is whose cluster hosts it may name where the policy tells namespaces apart; left out: any.
 */
export function checkDestination(url: string, policy: EgressPolicy, namespace?: string): Finding | undefined {
  const parsed = URL.parse(url);
  if (parsed === null || !(parsed.protocol in DEFAULT_PORTS)) {
    return { field: 'url', message: 'is no absolute http or https URL; write it like https://host/path' };
  }
  const address = literalAddress(parsed.hostname);
  const refusal =
    address === undefined
      ? foreignHost(parsed.hostname, policy, namespace)
      : compileRefusals(policy)(address, portOf(parsed));
  if (refusal === undefined) return undefined;
  return { field: 'url', message: `${parsed.host} ${refusal.because}; ${refusal.remedy}` };
}

function foreignHost(
  hostname: string,
  policy: EgressPolicy,
  namespace: string | undefined,
): Refusal | undefined {
  if (policy.crossNamespace !== false || namespace === undefined) return undefined;
  const because = leavesNamespace(hostname, namespace);
  return because === undefined ? undefined : { because, remedy: CROSS };
}

/** The address that a URL's host is by itself, without resolution; undefined: a name. */
export function literalAddress(hostname: string): string | undefined {
  if (parseAddress(hostname) !== undefined) return hostname;
  const name = hostname.endsWith('.') ? hostname.slice(0, -1) : hostname;
  if (name === 'localhost' || name.endsWith('.localhost')) return '127.0.0.1';
  return parseAddress(name) === undefined ? undefined : name;
}

/** The port that a URL leads to. */
export function portOf(url: URL): number {
  return url.port === ''
    ? (DEFAULT_PORTS[url.protocol as keyof typeof DEFAULT_PORTS] ?? 0)
    : Number(url.port);
}

const DEFAULT_PORTS = { 'http:': 80, 'https:': 443 };

const UNSPECIFIED = closed('is an unspecified address', '0.0.0.0/8', '::/128');
const LOOPBACK = closed('is a loopback address', '127.0.0.0/8', '::1/128');
const NEVER: readonly Rule[] = [
  ...UNSPECIFIED,
  ...closed('is a multicast address', '224.0.0.0/4', 'ff00::/8'),
  ...closed('is a reserved address', '240.0.0.0/4'),
];
const CLOSED_BY_DEFAULT: readonly Rule[] = [
  ...closed('is a link-local or cloud metadata address', '169.254.0.0/16', 'fe80::/10'),
  ...closed(
    'is a cloud metadata address',
    'fd00:ec2::254',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
  ),
];

function rulesOf(policy: EgressPolicy): readonly Rule[] {
  // In the order in which they lose a tie.
  return [
    ...CLOSED_BY_DEFAULT,
    ...(policy.allowLoopback === true ? [] : LOOPBACK),
    ...(policy.allow ?? []).map((text) => ({ range: rangeOf(text), open: true, because: '' })),
    ...closed('is in a range that the egress policy denies', ...(policy.deny ?? [])),
  ];
}

/** The most specific rule that covers an address; the later one of two that are equally specific. */
function decisive(rules: readonly Rule[], address: AddressBytes): Rule | undefined {
  let best: Rule | undefined;
  for (const rule of rules) {
    if (inRange(address, rule.range) && rule.range.prefix >= (best?.range.prefix ?? 0)) best = rule;
  }
  return best;
}

function isOwn(
  own: { readonly bytes: AddressBytes; readonly port: number | undefined },
  address: AddressBytes,
  port: number,
): boolean {
  if (own.port !== undefined && own.port !== port) return false;
  const everywhere = UNSPECIFIED.some((rule) => inRange(own.bytes, rule.range));
  if (everywhere && LOOPBACK.some((rule) => inRange(address, rule.range))) return true;
  return inRange(address, { bytes: own.bytes, prefix: own.bytes.length * 8 });
}

function closed(because: string, ...ranges: readonly string[]): readonly Rule[] {
  return ranges.map((text) => ({ range: rangeOf(text), open: false, because }));
}

function rangeOf(text: string): Range {
  const range = parseRange(text);
  if (range === undefined) throw new Error(`"${text}" is no address range`);
  return range;
}

function bytesOf(text: string): AddressBytes {
  const bytes = parseAddress(text);
  if (bytes === undefined) throw new Error(`"${text}" is no address`);
  return bytes;
}

/** An IP address as bytes: 4 or 16 of them. */
export type AddressBytes = Uint8Array;

/** A CIDR range. */
export interface Range {
  readonly bytes: AddressBytes;
  readonly prefix: number;
}

const OCTET = /^(?:0|[1-9]\d{0,2})$/;
const GROUP = /^[0-9a-f]{1,4}$/i;

/** Reads a canonical IPv4 or an IPv6 address in any of its forms (brackets and a zone are dropped); undefined: neither. */
export function parseAddress(text: string): AddressBytes | undefined {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  if (!bare.includes(':')) return parseIPv4(bare);
  const zone = bare.indexOf('%');
  return parseIPv6(zone === -1 ? bare : bare.slice(0, zone));
}

/** Reads `10.0.0.0/8`, `fd00::/8`, or a single address; undefined where it is none. */
export function parseRange(text: string): Range | undefined {
  const slash = text.indexOf('/');
  const bytes = parseAddress(slash === -1 ? text : text.slice(0, slash));
  if (bytes === undefined) return undefined;
  if (slash === -1) return { bytes, prefix: bytes.length * 8 };
  const digits = text.slice(slash + 1);
  const prefix = /^\d{1,3}$/.test(digits) ? Number(digits) : Number.NaN;
  return prefix <= bytes.length * 8 ? { bytes, prefix } : undefined;
}

/** Whether an address of the same family lies within a range. */
export function inRange(address: AddressBytes, range: Range): boolean {
  if (address.length !== range.bytes.length) return false;
  const whole = range.prefix >> 3;
  for (let i = 0; i < whole; i++) if (address[i] !== range.bytes[i]) return false;
  const rest = range.prefix & 7;
  if (rest === 0) return true;
  const mask = (0xff << (8 - rest)) & 0xff;
  return ((address[whole] ?? 0) & mask) === ((range.bytes[whole] ?? 0) & mask);
}

/**
 * The IPv4 addresses that an IPv6 address stands for on one of the ways into IPv4: mapped and compatible (RFC 4291),
 * translated (RFC 2765), NAT64 (RFC 6052, RFC 8215), 6to4 (RFC 3056), Teredo (RFC 4380) and ISATAP (RFC 5214).
 */
export function embeddedIPv4(address: AddressBytes): readonly AddressBytes[] {
  if (address.length !== 16) return [];
  return EMBEDDINGS.flatMap(({ range, extract }) => (inRange(address, range) ? extract(address) : []));
}

function parseIPv4(text: string): AddressBytes | undefined {
  const octets = text.split('.');
  if (octets.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (const [i, octet] of octets.entries()) {
    const value = OCTET.test(octet) ? Number(octet) : 256;
    if (value > 255) return undefined;
    bytes[i] = value;
  }
  return bytes;
}

function parseIPv6(text: string): AddressBytes | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = bytesOfGroups(halves[0] ?? '');
  const tail = halves.length === 2 ? bytesOfGroups(halves[1] ?? '') : [];
  if (head === undefined || tail === undefined) return undefined;
  const gap = 16 - head.length - tail.length;
  // `::` stands for at least one group; without it all eight are there.
  if (halves.length === 2 ? gap < 2 : gap !== 0) return undefined;
  const bytes = new Uint8Array(16);
  bytes.set(head, 0);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

function bytesOfGroups(text: string): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [i, group] of groups.entries()) {
    const more = i === groups.length - 1 && group.includes('.') ? parseIPv4(group) : bytesOfGroup(group);
    if (more === undefined) return undefined;
    bytes.push(...more);
  }
  return bytes.length <= 16 ? bytes : undefined;
}

function bytesOfGroup(group: string): readonly number[] | undefined {
  if (!GROUP.test(group)) return undefined;
  const value = Number.parseInt(group, 16);
  return [value >> 8, value & 0xff];
}

interface Embedding {
  readonly range: Range;
  readonly extract: (address: AddressBytes) => readonly AddressBytes[];
}

const UNSPECIFIED_AND_LOOPBACK: Range = { bytes: new Uint8Array(16), prefix: 127 };
const EMBEDDINGS: readonly Embedding[] = [
  embedding('::ffff:0:0/96', (a) => [a.subarray(12)]),
  // `::` and `::1` are addresses in their own right.
  embedding('::/96', (a) => (inRange(a, UNSPECIFIED_AND_LOOPBACK) ? [] : [a.subarray(12)])),
  embedding('::ffff:0:0:0/96', (a) => [a.subarray(12)]),
  embedding('64:ff9b::/96', (a) => [a.subarray(12)]),
  // A local NAT64 prefix may be of any length within: the last 32 bits, and the place that a /48 has.
  embedding('64:ff9b:1::/48', (a) => [a.subarray(12), pick(a, [6, 7, 9, 10])]),
  embedding('2002::/16', (a) => [a.subarray(2, 6)]),
  embedding('2001::/32', (a) => [a.subarray(4, 8), a.subarray(12).map((byte) => byte ^ 0xff)]),
  embedding('::/0', (a) =>
    ((a[8] ?? 0) & 0xfd) === 0 && a[9] === 0 && a[10] === 0x5e && a[11] === 0xfe ? [a.subarray(12)] : [],
  ),
];

function embedding(text: string, extract: Embedding['extract']): Embedding {
  const range = parseRange(text);
  if (range === undefined) throw new Error(`${text} is no range`);
  return { range, extract };
}

function pick(address: AddressBytes, places: readonly number[]): AddressBytes {
  return Uint8Array.from(places, (place) => address[place] ?? 0);
}

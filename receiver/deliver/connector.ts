import type { LookupAddress, LookupAllOptions } from 'node:dns';
import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { createSecureContext, getCACertificates } from 'node:tls';
import { buildConnector } from 'undici';
import { type Egress, literalAddress, portOf } from './egress.ts';

/** Resolves a name to all of its addresses. */
export type Lookup = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** The address that a connection would lead to is refused by the egress policy. */
export class EgressRefusedError extends Error {
  readonly code = 'EgressRefused';

  constructor(message: string) {
    super(message);
    this.name = 'EgressRefusedError';
  }
}

/** What a connector is made of. */
export interface ConnectorOptions {
  /** Scheme, host and port that it connects to. */
  readonly origin: URL;
  readonly egress: Egress;
  readonly lookup?: Lookup | undefined;
  /** PEM; trusted beside the system's own authorities. */
  readonly caCerts?: string | undefined;
  readonly timeoutMs: number;
}

/**
 * Opens connections to one origin. A name is resolved once per connection, every address it has is checked, and the
 * connection goes to what was checked and to nothing else, so that a second resolution cannot lead elsewhere
 * (DNS rebinding). HTTP/1.1 only.
 */
export function createConnector(options: ConnectorOptions): buildConnector.connector {
  const { origin, egress, lookup = systemLookup, caCerts, timeoutMs } = options;
  const port = portOf(origin);
  const literal = literalAddress(origin.hostname);

  function refusal(addresses: readonly LookupAddress[]): EgressRefusedError | undefined {
    for (const { address } of addresses) {
      const because = egress.refuses(address, port);
      if (because === undefined) continue;
      return new EgressRefusedError(`${origin.hostname} resolves to ${address}, which ${because}`);
    }
    return undefined;
  }

  const checked: LookupFunction = (hostname, wanted, callback) => {
    const asItStands = egress.absoluteNames && !hostname.endsWith('.') ? `${hostname}.` : hostname;
    lookup(asItStands, { ...wanted, all: true }, (error, addresses) => {
      const first = error === null ? addresses[0] : undefined;
      const refused = first === undefined ? (error ?? noAddress(hostname)) : refusal(addresses);
      if (first === undefined || refused !== undefined) callback(refused ?? null, '', 0);
      else if (wanted.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };

  const open = buildConnector({
    allowH2: false,
    timeout: timeoutMs,
    lookup: checked,
    ...(caCerts === undefined ? {} : { secureContext: trusting(caCerts) }),
  });
  const because = literal === undefined ? undefined : egress.refuses(literal, port);
  if (because === undefined) return open;
  const refused = new EgressRefusedError(`${origin.host} ${because}`);
  return (_target, callback) => process.nextTick(callback, refused, null);
}

function noAddress(hostname: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${hostname} has no address`), { code: 'ENOTFOUND' });
}

function trusting(caCerts: string): ReturnType<typeof createSecureContext> {
  return createSecureContext({ ca: [...getCACertificates('default'), caCerts] });
}

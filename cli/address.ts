import { isIPv6 } from 'node:net';
import { UsageError } from './exit-codes.ts';

/** Where a listener is bound. Port 0 takes any free one. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * Reads `host:port`, `[v6]:port`, `:port` (every interface) or `port` (loopback only). Throws UsageError that names
 * `option`.
 */
export function parseAddress(text: string, option: string): Address {
  const match = /^(?:(?:\[([^\]]+)\]|([^:[\]]*)):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const six = match?.[1];
  if (match === null || port > 65_535 || (six !== undefined && !isIPv6(six))) {
    throw new UsageError(`${option} ${text} is no address; write host:port, for example 127.0.0.1:8080.`);
  }
  const name = six ?? match[2];
  return { host: name === undefined ? '127.0.0.1' : name === '' ? '0.0.0.0' : name, port };
}

/** `127.0.0.1:8080`, `[::1]:8080` */
export function formatAddress(address: Address): string {
  return `${isIPv6(address.host) ? `[${address.host}]` : address.host}:${address.port}`;
}

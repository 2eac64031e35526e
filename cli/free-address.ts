import { createServer } from 'node:net';
import type { Address } from './address.ts';

/** The address as it is where it is free, else the same host with any free port. */
export function freeAddress(address: Address): Promise<Address> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve({ ...address, port: 0 }));
    probe.listen(address.port, address.host, () => probe.close(() => resolve(address)));
  });
}

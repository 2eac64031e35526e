import { inRange, parseAddress, type Range } from './address.ts';
import type { OwnAddress } from './egress.ts';

/** A listener that is bound to one of these is reached by every address that the machine has. */
const EVERYWHERE: readonly Range[] = [
  { bytes: new Uint8Array(4), prefix: 32 },
  { bytes: new Uint8Array(16), prefix: 128 },
];

/**
 * All addresses by which our own listeners are reached: as they are bound, and where that is to every interface, each of
 * the machine's `interfaces` too.
 */
export function ownAddresses(
  listeners: readonly OwnAddress[],
  interfaces: readonly string[],
): readonly OwnAddress[] {
  return listeners.flatMap((listener) => {
    const bytes = parseAddress(listener.address);
    const everywhere = bytes !== undefined && EVERYWHERE.some((range) => inRange(bytes, range));
    if (!everywhere) return [listener];
    return [listener, ...interfaces.map((address) => ({ ...listener, address }))];
  });
}

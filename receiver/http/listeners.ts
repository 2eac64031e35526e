import { networkInterfaces } from 'node:os';
import type { OwnAddress } from '../deliver/egress.ts';
import { ownAddresses } from '../deliver/own-addresses.ts';
import type { Listener } from './listener.ts';

/** Opens one listener after another; where one cannot be opened, closes what was opened before, and then the rest. */
export async function openAll<All extends readonly (() => Promise<Listener>)[]>(
  opens: All,
  closeRest: () => Promise<void>,
): Promise<{ readonly [I in keyof All]: Listener }> {
  const opened: Listener[] = [];
  try {
    for (const open of opens) opened.push(await open());
    return opened as unknown as { readonly [I in keyof All]: Listener };
  } catch (error) {
    await Promise.all(opened.map((listener) => listener.close(0)));
    await closeRest();
    throw error;
  }
}

/** All addresses by which these are reached from this machine. */
export function reachedAt(listeners: readonly Listener[]): readonly OwnAddress[] {
  return ownAddresses(listeners.map(boundTo), interfaceAddresses());
}

function boundTo({ address }: Listener): OwnAddress {
  return { address: address.address, port: address.port };
}

function interfaceAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));
}

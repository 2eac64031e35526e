import type { EndpointEntry, Entry, HmacRecipe, KeyMaterial } from '../../receiver/routing/table.ts';
import { UsageError } from '../exit-codes.ts';

/** Where a signed request goes and what signs it. */
export interface SendTarget {
  readonly url: string;
  readonly scheme: string;
  readonly hmac?: HmacRecipe;
  /** Left out with scheme JWT, whose tokens only the issuer makes. */
  readonly key?: KeyMaterial;
  /** The address as the endpoint knows it, where a proxy stands before it: what schemes that sign it sign. */
  readonly publicUrl?: string;
}

/** How one of several endpoints, and one of its keys, is named on the command line. */
export interface EndpointChoice {
  /** `--to`: `namespace/name`, or a name that only one namespace has. */
  readonly to: string | undefined;
  /** `--key`: the name of one of its secrets; left out, the first that is in force. */
  readonly key: string | undefined;
  /** `--url`: the receiver's base address, or the endpoint's whole URL. */
  readonly url: string;
}

/** Finds endpoint, scheme and key in a planned set of manifests. Throws UsageError that lists what there is. */
export function endpointFromEntries(
  entries: readonly Entry[],
  choice: EndpointChoice,
  now: number,
): SendTarget {
  const entry = chooseEndpoint(entries, choice.to);
  const { scheme, hmac, source, publicUrl } = entry;
  const url = endpointUrl(choice.url, source);
  return {
    url,
    scheme,
    ...(scheme === 'JWT' ? {} : { key: chooseKey(entry, choice.key, now) }),
    ...(hmac === undefined ? {} : { hmac }),
    ...(publicUrl === undefined ? {} : { publicUrl: publicUrl.replace(/\/$/, '') + new URL(url).pathname }),
  };
}

/** `http://host:port` and a source become `http://host:port/e/{source}`; a URL with a path is the endpoint itself. */
export function endpointUrl(url: string, source: string): string {
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw new UsageError(`--url ${url} is no address; write it in full, for example http://127.0.0.1:8080.`);
  }
  if (parsed.pathname !== '/') return parsed.href;
  parsed.pathname = `/e/${encodeURIComponent(source)}`;
  return parsed.href;
}

function chooseEndpoint(entries: readonly Entry[], to: string | undefined): EndpointEntry {
  const endpoints = entries.filter((entry) => entry.kind === 'WebhookSecret');
  const fitting = endpoints.filter((entry) => to === undefined || to === named(entry) || to === entry.name);
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) return only;
  if (endpoints.length === 0)
    throw new UsageError('The files hold no WebhookSecret that can run; give others with -f.');
  const names = endpoints.map(named).join(', ');
  throw new UsageError(
    to === undefined
      ? `Say which endpoint with --to: ${names}.`
      : `--to ${to} names no single endpoint; there is ${names}.`,
  );
}

function named(entry: EndpointEntry): string {
  return `${entry.namespace}/${entry.name}`;
}

function chooseKey(entry: EndpointEntry, name: string | undefined, now: number): KeyMaterial {
  const inForce = entry.keys.filter((key) => key.notAfter === undefined || now < key.notAfter);
  const key = name === undefined ? inForce[0] : entry.keys.find((one) => one.name === name);
  if (key !== undefined) return key;
  const where = `WebhookSecret ${named(entry)}`;
  if (name === undefined)
    throw new UsageError(`${where} has no key in force to sign with; check spec.secrets.`);
  const names = entry.keys.map((one) => one.name).join(', ');
  throw new UsageError(`${where} has no key ${name}; there is ${names === '' ? 'none' : names}.`);
}

import type { Address } from '../plan/destination.ts';

/** What is kept of a core/v1 Service. */
export interface ServiceFacts {
  readonly ports: readonly { readonly name?: string; readonly port: number }[];
}

/**
 * The address of a Service ref: `http://name.namespace.svc.domain`, as Knative resolves it. Where the Service has no
 * port 80, which that address means, its only port or the one named `http` is added.
 */
export function serviceAddress(
  service: ServiceFacts | undefined,
  { namespace, name, domain }: { readonly namespace: string; readonly name: string; readonly domain: string },
): Address {
  if (service === undefined) {
    const message = `Service "${name}" does not exist in this namespace: create it, or name another`;
    return { ok: false, reason: 'RefNotFound', message };
  }
  const host = `${name}.${namespace}.svc.${domain}`;
  const { ports } = service;
  if (ports.some(({ port }) => port === 80)) return { ok: true, url: `http://${host}` };
  const named = ports.find((one) => one.name === 'http') ?? (ports.length === 1 ? ports[0] : undefined);
  if (named !== undefined) return { ok: true, url: `http://${host}:${named.port}` };
  const message = `Service "${name}" has neither port 80 nor one named http nor a single one: write a uri with the port`;
  return { ok: false, reason: 'RefNotFound', message };
}

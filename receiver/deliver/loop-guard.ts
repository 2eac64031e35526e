import { hash } from 'node:crypto';
import type { CloudEvent } from '../event/event.ts';
import type { Destination } from '../routing/table.ts';
import { literalAddress, portOf } from './egress.ts';
import { RenderError } from './renderer.ts';

/** The extension that tells which job backends an event comes from; a map cannot change it. */
export const ORIGIN_ATTRIBUTE = 'signalboxorigin';
/** The same in a job's `meta`: so that the events of that job tell it, too. */
export const ORIGIN_META = 'signalbox_origin';

/** 64 bits as hex. */
const DIGITS = 16;
const SEPARATOR = '.';
/** A chain of more backends than this forgets the first ones. */
const MOST = 16;
const FORM = /^[0-9a-f]{16}(?:\.[0-9a-f]{16})*$/;
/** A Service is named with and without the cluster's domain. */
const CLUSTER_DOMAIN = /^((?:[a-z0-9-]+\.){2}svc)\..+$/;

/**
 * What a backend is known by: a hash of where its address leads, whatever its spelling. Scheme, case, a final dot or
 * slash and the cluster's domain make no difference.
 */
export function originOf(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null) return digest(url);
  const name = parsed.hostname.replace(/\.$/, '');
  const host = literalAddress(name) ?? name.replace(CLUSTER_DOMAIN, '$1');
  return digest(`${host}:${portOf(parsed)}${parsed.pathname.replace(/\/+$/, '')}`);
}

/** Adds a backend to those that an event comes from; what is not of our making counts as none. */
export function withOrigin(before: unknown, origin: string): string {
  const known = typeof before === 'string' && FORM.test(before) ? before.split(SEPARATOR) : [];
  return [...known.filter((one) => one !== origin), origin].slice(-MOST).join(SEPARATOR);
}

/**
 * Throws RenderError where an event would become a job on a backend that it comes from, by whatever way it went (OJS
 * CloudEvents interop, loop guard).
 */
export function refuseLoop(event: CloudEvent, destination: Destination): void {
  const origins = event.attributes[ORIGIN_ATTRIBUTE];
  if (origins === undefined || destination.kind !== 'job' || destination.allowLoop === true) return;
  if (!origins.split(SEPARATOR).includes(originOf(destination.url))) return;
  throw new RenderError(
    'spec.target.job',
    'the event comes from this very backend, and a job there would make a loop; set allowLoop: true if that is meant',
  );
}

function digest(text: string): string {
  return hash('sha256', text, 'hex').slice(0, DIGITS);
}

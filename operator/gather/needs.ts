import type {
  EventBridge,
  EventTrigger,
  ObjectReference,
  SinkTarget,
  Target,
  WebhookSecret,
} from '../plan/resources.ts';
import { refKey } from './addressables.ts';

/** What planning a resource needs from elsewhere: names of Secrets and refs, all in the resource's own namespace. */
export interface Needs {
  readonly secrets: readonly string[];
  readonly refs: readonly ObjectReference[];
  /** The same as keys of things, and what else a change of has to be looked at. */
  readonly things: readonly string[];
}

export function needsOfWebhookSecret({ metadata, spec }: WebhookSecret): Needs {
  const { namespace = 'default', name } = metadata;
  const { jwks } = spec.jwt ?? {};
  const secrets = unique([
    ...(spec.secrets ?? []).map((secret) => secret.secretKeyRef.name),
    ...(jwks === undefined ? [] : [jwks.secretKeyRef.name]),
  ]);
  const tokens = spec.scheme === 'Bearer' ? [BEARER_TOKENS] : [];
  const source = spec.source ?? `${namespace}.${name}`;
  return { secrets, refs: [], things: [...secretThings(namespace, secrets), sourceKey(source), ...tokens] };
}

export function needsOfEventTrigger({ metadata, spec }: EventTrigger): Needs {
  const { namespace = 'default' } = metadata;
  const steps = spec.steps ?? [];
  const targets = [spec.target, ...steps.map(({ target }) => target)].flatMap((target) => target ?? []);
  const deadLetters = [spec, ...steps].map(({ delivery }) => delivery?.deadLetterSink);
  const secrets = unique(targets.flatMap(secretsOfTarget));
  const refs = [
    ...targets.flatMap(({ job, sink }) => [job?.ref, sink?.ref]),
    ...deadLetters.map((sink) => sink?.ref),
  ].filter((ref) => ref !== undefined);
  const endpoints = (spec.from ?? []).flatMap((from) => from.webhookSecret?.name ?? []);
  const bridges = unique([
    ...(spec.from ?? []).flatMap((from) => from.eventBridge?.name ?? []),
    ...steps.flatMap(({ waitFor }) => waitFor?.job?.eventBridge.name ?? []),
  ]);
  return {
    secrets,
    refs,
    things: [
      ...secretThings(namespace, secrets),
      ...refs.map((ref) => refKey(ref, `${namespace}/${ref.name}`)),
      ...endpoints.map((name) => `WebhookSecret/${namespace}/${name}`),
      ...bridges.map((name) => `EventBridge/${namespace}/${name}`),
    ],
  };
}

export function needsOfEventBridge({ metadata, spec }: EventBridge): Needs {
  const { namespace = 'default' } = metadata;
  const { ojs } = spec.source;
  const secrets = unique([
    ...(ojs?.auth === undefined ? [] : [ojs.auth.secretKeyRef.name]),
    ...(spec.sink === undefined ? [] : secretsOfSink(spec.sink)),
  ]);
  const cluster = ojs?.clusterRef && {
    apiVersion: 'v1',
    kind: 'Service',
    name: `${ojs.clusterRef.name}-server`,
  };
  const refs = [ojs?.ref, cluster, spec.sink?.ref, spec.delivery?.deadLetterSink?.ref].filter(
    (ref) => ref !== undefined,
  );
  const endpoint = ojs?.webhookSecret?.name;
  return {
    secrets,
    refs,
    things: [
      ...secretThings(namespace, secrets),
      ...refs.map((ref) => refKey(ref, `${namespace}/${ref.name}`)),
      ...(endpoint === undefined ? [] : [`WebhookSecret/${namespace}/${endpoint}`]),
    ],
  };
}

function secretsOfTarget({ job, sink }: Target): readonly string[] {
  return [
    ...(job?.auth === undefined ? [] : [job.auth.secretKeyRef.name]),
    ...(sink === undefined ? [] : secretsOfSink(sink)),
  ];
}

function secretsOfSink({ headers, sign }: SinkTarget): readonly string[] {
  return [
    ...(headers ?? []).flatMap((header) => header.secretKeyRef?.name ?? []),
    ...(sign?.secrets ?? []).map((secret) => secret.secretKeyRef.name),
  ];
}

/** The tokens of scheme Bearer, as a thing: who waits for one looks again when any is freed. */
export const BEARER_TOKENS = 'Bearer/tokens';

/** The endpoint name of a WebhookSecret, as a thing that others may wait for. */
export function sourceKey(source: string): string {
  return `Source/${source}`;
}

function secretThings(namespace: string, names: readonly string[]): string[] {
  return names.map((name) => `Secret/${namespace}/${name}`);
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}

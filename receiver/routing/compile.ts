import { compileBridge } from '../bridge/compile-bridge.ts';
import { checkDestination, type EgressPolicy } from '../deliver/egress.ts';
import { compileShape } from '../deliver/shape/compile-shape.ts';
import type { Compiled, Finding } from '../errors.ts';
import { compileEventMapping } from '../event/payload.ts';
import { compileMatcher } from '../match/compile-matcher.ts';
import { compileStream } from '../streams/stream.ts';
import { compileVerifier } from '../verify/schemes.ts';
import { compileSigner } from '../verify/sign.ts';
import type { BridgeEntry, Destination, EndpointEntry, Entry, TriggerEntry } from './table.ts';

/**
 * Every reason why a receiver could not run an entry, found by the receiver's own compilers; none means that it can.
 * The operator asks before it publishes, so that a bad expression is a condition and never a surprise.
 */
export function compileEntry(entry: Entry): readonly Finding[] {
  if (entry.kind === 'WebhookSecret') return endpointFindings(entry);
  if (entry.kind === 'EventTrigger') return triggerFindings(entry);
  return bridgeFindings(entry);
}

/** Destinations, and issuers' addresses, that the egress policy refuses by their literal address or cluster host (invariant 9). */
export function egressFindings(entry: Entry, policy: EgressPolicy): readonly Finding[] {
  if (entry.kind === 'WebhookSecret') return keysRefused(entry, policy);
  if (entry.kind === 'EventBridge') return bridgeRefused(entry, policy);
  if (entry.stream === undefined) return outbound(entry, 'spec', policy, entry.namespace);
  // What the stream's own dead letters go to is told with the steps that go there, too.
  const own = entry.policy.deadLetter;
  return [
    ...entry.stream.steps.flatMap((step, i) => outbound(step, `spec.steps[${i}]`, policy, entry.namespace)),
    ...(own === undefined
      ? []
      : refusedAddress(own, 'spec.delivery.deadLetterSink', policy, entry.namespace)),
  ];
}

function outbound(
  { destination, policy: { deadLetter } }: Pick<TriggerEntry, 'destination' | 'policy'>,
  path: string,
  policy: EgressPolicy,
  namespace: string,
): readonly Finding[] {
  return [
    ...refusedAddress(destination, `${path}.target.${destination.kind}`, policy, namespace),
    ...(deadLetter === undefined
      ? []
      : refusedAddress(deadLetter, `${path}.delivery.deadLetterSink`, policy, namespace)),
  ];
}

function bridgeRefused({ source, sink, namespace }: BridgeEntry, policy: EgressPolicy): readonly Finding[] {
  const deadLetter = sink?.policy.deadLetter;
  return [
    ...refusedAddress(source.backend, 'spec.source.ojs', policy, namespace),
    ...(sink === undefined ? [] : refusedAddress(sink.destination, 'spec.sink', policy, namespace)),
    ...(deadLetter === undefined
      ? []
      : refusedAddress(deadLetter, 'spec.delivery.deadLetterSink', policy, namespace)),
  ];
}

function keysRefused({ jwt }: EndpointEntry, policy: EgressPolicy): readonly Finding[] {
  const finding = jwt?.jwksUri === undefined ? undefined : checkDestination(jwt.jwksUri, policy);
  return finding === undefined ? [] : [{ field: 'spec.jwt.jwksUri', message: finding.message }];
}

function endpointFindings(entry: EndpointEntry): readonly Finding[] {
  return [compileVerifier(entry), compileEventMapping(entry)].flatMap(findingsOf);
}

function triggerFindings(entry: TriggerEntry): readonly Finding[] {
  const { stream } = entry;
  if (stream === undefined) return [...findingsOf(compileMatcher(entry)), ...sentFindings(entry, 'spec')];
  return [
    ...findingsOf(compileMatcher(entry)),
    ...findingsOf(compileStream(stream, entry.namespace)),
    ...stream.steps.flatMap((step, i) => sentFindings(step, `spec.steps[${i}]`)),
  ];
}

function sentFindings(
  { shape, destination: { sign } }: Pick<TriggerEntry, 'shape' | 'destination'>,
  path: string,
): readonly Finding[] {
  return [
    compileShape(shape, path),
    ...(sign === undefined ? [] : [compileSigner(sign, `${path}.target.sink.sign`)]),
  ].flatMap(findingsOf);
}

function bridgeFindings(entry: BridgeEntry): readonly Finding[] {
  const sign = entry.sink?.destination.sign;
  return [
    compileBridge(entry),
    ...(entry.sink === undefined ? [] : [compileShape(entry.sink.shape)]),
    ...(sign === undefined ? [] : [compileSigner(sign, 'spec.sink.sign')]),
  ].flatMap(findingsOf);
}

function findingsOf(result: Compiled<unknown>): readonly Finding[] {
  return result.ok ? [] : result.findings;
}

function refusedAddress(
  destination: Destination,
  field: string,
  policy: EgressPolicy,
  namespace: string,
): readonly Finding[] {
  if (destination.unresolved !== undefined) return [];
  // A ref is of the resource's own namespace, wherever the cluster says that it is served (a Broker's ingress).
  const own = destination.byRef === true ? undefined : namespace;
  const finding = checkDestination(destination.url, policy, own);
  return finding === undefined ? [] : [{ field: `${field}.uri`, message: finding.message }];
}

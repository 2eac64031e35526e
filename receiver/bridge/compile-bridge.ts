import { type Compiled, compiled, type Finding } from '../errors.ts';
import { isUriReference } from '../event/uri.ts';
import { isAllowedText, isAttributeName } from '../event/validate.ts';
import type { BridgeEntry } from '../routing/table.ts';
import { compileOutgoing, type Outgoing } from './outgoing.ts';
import { compileWanted, type Wanted } from './wanted.ts';

/** The parts of a bridge that are made of its entry alone. */
export interface CompiledBridge {
  readonly wanted: Wanted;
  readonly outgoing: Outgoing;
}

/** Attributes that `ceOverrides` may not set: what the event is, and what guards against loops. */
const OWN = new Set([
  'id',
  'source',
  'type',
  'specversion',
  'subject',
  'time',
  'datacontenttype',
  'dataschema',
  'ojssource',
  'signalboxorigin',
  'signalboxhops',
]);

/** Compiles what a bridge takes of its backend, and what it makes of it. */
export function compileBridge(entry: BridgeEntry): Compiled<CompiledBridge> {
  const findings = faults(entry);
  if (findings.length > 0) return { ok: false, findings };
  return compiled({ wanted: compileWanted(entry), outgoing: compileOutgoing(entry) });
}

function faults({ sourceUri, typePrefix, extensions }: BridgeEntry): readonly Finding[] {
  const findings: Finding[] = [];
  if (!isUriReference(sourceUri)) {
    const message = `"${sourceUri}" is no URI reference; write it like /ojs/backend/redis`;
    findings.push({ field: 'spec.sourceUri', message });
  }
  if (!isAllowedText(typePrefix)) {
    findings.push({ field: 'spec.typePrefix', message: 'holds a character that no event type may have' });
  }
  for (const [name, value] of Object.entries(extensions)) {
    const field = `spec.ceOverrides.extensions.${name}`;
    if (OWN.has(name))
      findings.push({ field, message: 'is an attribute of its own and cannot be overridden' });
    else if (!isAttributeName(name))
      findings.push({ field, message: 'is no extension name; use lower-case letters and digits' });
    else if (!isAllowedText(value))
      findings.push({ field, message: 'holds a character that CloudEvents does not allow' });
  }
  return findings;
}

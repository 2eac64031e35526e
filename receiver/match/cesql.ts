import { type Compiled, compiled, type Finding } from '../errors.ts';
import type { CloudEvent } from '../event/event.ts';
import { cast } from '../expression/cesql/cast.ts';
import { type CesqlProgram, compileCesql, programOf } from '../expression/cesql/cesql.ts';
import { staticType } from '../expression/cesql/compile.ts';
import { functionFor, missingFunction } from '../expression/cesql/functions.ts';
import { type Node, nodesOf } from '../expression/cesql/syntax.ts';
import { isFailure } from '../expression/cesql/value.ts';
import { quoted } from '../expression/quoted.ts';
import { anchorsOf } from './cesql-anchors.ts';
import type { Clause } from './matcher.ts';
import type { Dialect, Predicate } from './predicate.ts';

/**
 * `cesql`: the expression yields true (CESQL 1.0.0 section 1.2). An error, and anything that is no Boolean, is no match.
 * What could never match is refused: a function that does not exist, a value that is no Boolean.
 */
export const cesql: Dialect<string> = (source, path) => {
  const program = compileCesql(source, path);
  if (!program.ok) return program;
  const findings = faultsOf(program.value.root, path);
  return findings.length > 0 ? { ok: false, findings } : predicateOf(program.value, source, path);
};

function faultsOf(root: Node, path: string): readonly Finding[] {
  const findings = [...nodesOf(root)].flatMap((node) => {
    const fault = faultOf(node);
    return fault === undefined
      ? []
      : [{ field: path, message: `is no filter at column ${node.start + 1}: ${fault}` }];
  });
  const type = staticType(root);
  if (findings.length > 0 || type === 'Boolean') return findings;
  const yields = type === 'Integer' ? 'a number' : 'a text';
  return [{ field: path, message: `yields ${yields}, never true or false: compare it with a value` }];
}

function faultOf(node: Node): string | undefined {
  if (node.kind === 'call' && functionFor(node.name, node.args.length) === undefined)
    return missingFunction(node.name, node.args.length);
  if ((node.kind === 'attribute' || node.kind === 'exists') && node.name === 'data')
    return 'CESQL cannot see data; use spec.condition';
  return undefined;
}

function predicateOf(program: CesqlProgram, source: string, path: string): Compiled<Predicate> {
  return compiled({
    matches: (event) => program.run(event.attributes) === true,
    explain: (event) => [explain(program, source, path, event)],
    anchors: anchorsOf(program.root),
  });
}

function explain(program: CesqlProgram, source: string, field: string, event: CloudEvent): Clause {
  const outcome = program.run(event.attributes);
  if (isFailure(outcome)) {
    const { node, message } = outcome;
    return { field, met: false, because: `the expression fails at column ${node.start + 1}: ${message}` };
  }
  if (outcome === true) return { field, met: true, because: 'the expression is true' };
  const part = decisivePart(program.root, event);
  return {
    field,
    met: false,
    because: `${source.slice(part.start, part.end)} is false${valuesIn(part, event)}`,
  };
}

/** Of things joined by AND, the one that was not true. */
function decisivePart(root: Node, event: CloudEvent): Node {
  let node = root;
  while (node.kind === 'logic' && node.operator === 'AND') {
    const left = cast(programOf(node.left).run(event.attributes), 'Boolean', node.left);
    node = left === true ? node.right : node.left;
  }
  return node;
}

/** The attributes that a part of the expression looks at, as the event has them. */
function valuesIn(part: Node, event: CloudEvent): string {
  const names = new Set([...nodesOf(part)].flatMap((node) => (node.kind === 'attribute' ? [node.name] : [])));
  const told = [...names].flatMap((name) => {
    const value = event.attributes[name];
    return value === undefined ? [] : [`${name} is ${quoted(value)}`];
  });
  return told.length === 0 ? '' : `: ${told.join(', ')}`;
}

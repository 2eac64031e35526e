import { Environment } from '@marcbachmann/cel-js';

const LIMITS = {
  maxAstNodes: 2000,
  maxDepth: 64,
  maxListElements: 1000,
  maxMapEntries: 1000,
  maxCallArguments: 16,
};

/** Declared alone, so that an expression with both kinds of number passes the check; `cel-operations.ts` computes. */
const MIXED_ARITHMETIC = ['double + int', 'double - int', 'double * int', 'double / int', 'double % int']
  .concat(['int + double', 'int - double', 'int * double', 'int / double', 'int % double'])
  .concat('double % double')
  .map((signature) => `${signature}: double`);

/** Environments only ever hold declarations; building one takes longer than compiling an expression. */
const OUTSIDE_STEPS = environment();
const IN_STEPS = OUTSIDE_STEPS.clone().registerVariable('context', 'dyn');

function environment(): Environment {
  const made = new Environment({
    unlistedVariablesAreDyn: false,
    // JSON literals mix types: {"a": 1, "b": "x"}.
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: true,
    limits: LIMITS,
  });
  made.registerVariable('event', 'map<string, string>').registerVariable('data', 'dyn');
  for (const signature of MIXED_ARITHMETIC) made.registerOperator(signature, undeclared);
  return made.registerFunction('matches(string, string): bool', undeclared, { async: false });
}

function undeclared(): never {
  throw new Error('the operation is not metered');
}

/** What may stand in an expression; `context` is declared in a step. */
export function environmentFor(inStep: boolean): Environment {
  return inStep ? IN_STEPS : OUTSIDE_STEPS;
}

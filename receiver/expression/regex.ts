import { RE2JS } from 're2js';
import type { Budget } from './budget.ts';

/** A pattern with RE2 syntax and semantics: matching takes time linear in the text. */
export interface Regex {
  /** Whether some part of the text matches. Spends what the search may cost at worst. */
  search(text: string, budget: Budget): boolean;
  /** Whether the whole text matches. */
  match(text: string, budget: Budget): boolean;
}

const MAX_PATTERN = 1000;
const MAX_PROGRAM = 2000;
/** Up to so many instructions the automaton has few enough states to be always in memory. */
const STATES_BITS = 20;

/** Compiles a pattern; throws an Error whose message says what is wrong with it. */
export function compileRegex(pattern: string): Regex {
  if (pattern.length > MAX_PATTERN) throw new Error(`the pattern is longer than ${MAX_PATTERN} characters`);
  const program = RE2JS.compile(pattern);
  const size = program.programSize();
  if (size > MAX_PROGRAM) throw new Error('the pattern is too large: use smaller repeat counts');
  return {
    search(text, budget) {
      budget.spend(worstCost(text.length, size));
      return program.test(text);
    },
    match(text, budget) {
      budget.spend(worstCost(text.length, size));
      return program.testExact(text);
    },
  };
}

/**
 * Steps at worst: reading each character with the automaton at hand, and building its states, of which there are at
 * most as many as characters, or 2^size; each takes time in proportion to the program's size.
 */
function worstCost(length: number, size: number): number {
  const states = size >= STATES_BITS ? length : Math.min(length, 2 ** size);
  return 1 + length / 8 + (states * size) / 2;
}

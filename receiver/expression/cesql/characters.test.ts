import { expect, it } from 'vitest';
import { createBudget } from '../budget.ts';
import { trimmed } from './characters.ts';

it('trims what Unicode calls white space, and nothing else', () => {
  const budget = createBudget();
  for (let code = 0; code <= 0xffff; code++) {
    const character = String.fromCharCode(code);
    expect(trimmed(`${character}x${character}`, budget) === 'x', code.toString(16)).toBe(
      /\p{White_Space}/u.test(character),
    );
    budget.reset();
  }
});

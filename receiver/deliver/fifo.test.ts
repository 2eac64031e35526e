import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createFifo } from './fifo.ts';

it('behaves as an array does, however long it grows', () => {
  const steps = fc.array(fc.oneof(fc.nat(3000), fc.constantFrom('shift', 'pop', 'drain')), { maxLength: 30 });
  fc.assert(
    fc.property(steps, (all) => {
      const fifo = createFifo<number>();
      const model: number[] = [];
      let next = 0;
      for (const step of all) {
        if (typeof step === 'number') {
          for (let i = 0; i < step; i++) {
            fifo.push(next);
            model.push(next++);
          }
        } else if (step === 'drain') {
          for (let i = Math.floor(model.length * 0.8); i > 0; i--)
            if (fifo.shift() !== model.shift()) throw new Error('out of order');
        } else {
          expect(fifo[step]()).toBe(model[step]());
        }
        expect(fifo.size).toBe(model.length);
        expect(fifo.peek()).toBe(model[0]);
      }
    }),
    { numRuns: 50 },
  );
});

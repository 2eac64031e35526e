import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCircuit } from './circuit.ts';

function opened() {
  const circuit = createCircuit();
  const changes = Array.from({ length: 5 }, () => circuit.ended('down', false, 0));
  return { circuit, changes };
}

describe('a circuit', () => {
  it('opens after five failures in a row, and only then', () => {
    const { circuit, changes } = opened();
    expect(changes).toEqual([false, false, false, false, true]);
    expect(circuit.admit(1)).toBe('open');
    const other = createCircuit();
    for (let i = 0; i < 20; i++) other.ended(i % 5 === 4 ? 'up' : 'down', false, 0);
    expect(other.admit(1)).toBe('closed');
  });

  it('lets one probe through when its time is over, and closes when that is answered', () => {
    const { circuit } = opened();
    expect(circuit.admit(500)).toBe('probe');
    expect(circuit.admit(501)).toBe('open');
    expect(circuit.ended('up', true, 510)).toBe(true);
    expect(circuit.admit(511)).toBe('closed');
  });

  it('opens for twice as long after each failed probe, up to 15 s', () => {
    const { circuit } = opened();
    let now = 0;
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      const from = now;
      while (circuit.admit(now) !== 'probe') now += 100;
      waits.push(now - from);
      circuit.ended('down', true, now);
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
  });

  it('gives the place of a probe that came to nothing to another', () => {
    const { circuit } = opened();
    expect(circuit.admit(600)).toBe('probe');
    circuit.ended('unknown', true, 601);
    expect(circuit.admit(602)).toBe('probe');
  });

  it('is not held open by a clock that was set back', () => {
    const { circuit } = opened();
    expect(circuit.admit(-3_600_000)).toBe('probe');
  });

  it('never lets more than one probe through, and always lets one through in the end', () => {
    const steps = fc.array(fc.record({ ms: fc.nat(5000), health: fc.constantFrom('up', 'down', 'unknown') }));
    fc.assert(
      fc.property(steps, (all) => {
        const { circuit } = opened();
        let now = 0;
        for (const { ms, health } of all) {
          now += ms;
          const admitted = circuit.admit(now);
          if (admitted !== 'open') {
            if (admitted === 'probe') expect(circuit.admit(now)).toBe('open');
            circuit.ended(health, admitted === 'probe', now);
          }
        }
        expect(circuit.admit(now + 15_000)).not.toBe('open');
      }),
    );
  });
});

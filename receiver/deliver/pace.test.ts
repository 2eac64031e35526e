import { describe, expect, it } from 'vitest';
import { createPace } from './pace.ts';

describe('a pace', () => {
  it('gives a new lane the benefit of the doubt, and takes it back when nothing moves', () => {
    const pace = createPace(0);
    expect(pace.allowance(0)).toBe(1000);
    expect(pace.allowance(1000)).toBe(64);
  });

  it('gives a fast lane what it can do in two seconds', () => {
    const pace = createPace(0);
    for (let i = 0; i < 5000; i++) pace.left(i * 0.2);
    expect(pace.allowance(1000)).toBeGreaterThan(5000);
    expect(pace.allowance(1000)).toBeLessThan(10_000);
  });

  it('gives a lane that moves now and then no more than one that does not', () => {
    const pace = createPace(0);
    for (let i = 1; i <= 10; i++) pace.left(i * 1000);
    expect(pace.allowance(10_000)).toBe(64);
    expect(pace.isSlow(10_000)).toBe(true);
    expect(pace.isSlow(999)).toBe(false);
  });

  it('starts afresh when work comes after a rest', () => {
    const pace = createPace(0);
    pace.woke(60_000);
    expect(pace.allowance(60_500)).toBe(1000);
  });

  it('spaces what has to wait at the rate of the lane', () => {
    const pace = createPace(0);
    for (let i = 0; i < 1000; i++) pace.left(i);
    const slots = Array.from({ length: 100 }, () => pace.slot(600, 1000) - 1000);
    expect(slots[0]).toBeGreaterThan(600);
    expect(slots[99]! - slots[0]!).toBeGreaterThan(99);
    expect(slots[99]! - slots[0]!).toBeLessThan(400);
  });

  it('never puts off for more than two minutes, nor for less than 100 ms', () => {
    const slow = createPace(0);
    for (let i = 0; i < 100_000; i++) slow.slot(64, 30_000);
    expect(slow.slot(64, 30_000)).toBe(150_000);
    const fast = createPace(0);
    for (let i = 0; i < 10_000; i++) fast.left(0);
    expect(fast.slot(0, 0)).toBe(100);
  });
});

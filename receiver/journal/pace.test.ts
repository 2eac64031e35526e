import { expect, it } from 'vitest';
import { createPacer } from './pace.ts';

/** A pacer whose time and turns are told, and what it did. */
function paced() {
  const state = { now: 1000, calls: 0 };
  const went: number[] = [];
  let timer: { go: () => void; at: number } | undefined;
  let turn: (() => void) | undefined;
  const pacer = createPacer({
    paceMs: 2,
    longestMs: 5,
    clock: () => state.now,
    after(go, ms) {
      timer = { go, at: state.now + ms };
    },
    nextTurn(go) {
      turn = go;
    },
    calls: () => state.calls,
    go() {
      went.push(state.calls);
      pacer.went(state.calls);
      state.calls = 0;
    },
  });
  return {
    went,
    call(count = 1) {
      state.calls += count;
      pacer.plan();
    },
    /** The event loop comes round `ms` later. */
    turn(ms = 0) {
      state.now += ms;
      const now = turn;
      turn = undefined;
      if (timer !== undefined && timer.at <= state.now) {
        const { go } = timer;
        timer = undefined;
        go();
      }
      now?.();
    },
  };
}

it('a sender alone is never held up', () => {
  const { call, turn, went } = paced();
  for (let i = 0; i < 3; i++) {
    call();
    turn();
  }
  expect(went).toEqual([1, 1, 1]);
});

it('what comes within one turn goes as one', () => {
  const { call, turn, went } = paced();
  call();
  call();
  call();
  turn();
  turn();
  expect(went).toEqual([3]);
});

it('under load a batch goes no sooner than the pace after the last', () => {
  const { call, turn, went } = paced();
  call(10);
  turn();
  call(3);
  turn(1.9);
  turn();
  expect(went).toEqual([10]);
  turn(0.1);
  turn();
  expect(went).toEqual([10, 3]);
});

it('it waits while every turn brings more, and goes at the first that does not', () => {
  const { call, turn, went } = paced();
  call(10);
  turn();
  call();
  turn(2);
  // Nothing has come since it was planned.
  expect(went).toEqual([10, 1]);
  call();
  call();
  call();
  turn(2);
  call();
  turn();
  expect(went).toEqual([10, 1]);
  turn();
  expect(went).toEqual([10, 1, 4]);
});

it('it waits no longer than that', () => {
  const { call, turn, went } = paced();
  call(10);
  turn();
  for (let i = 0; i < 10; i++) {
    call();
    turn(0.6);
  }
  expect(went.slice(0, 2)).toEqual([10, 9]);
});

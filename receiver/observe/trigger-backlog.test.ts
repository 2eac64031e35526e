import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createTriggerBacklog } from './trigger-backlog.ts';

/** Ids 1 to 40 lie in the journal when it begins; pages of it come between whatever else happens. */
const OLD = 40;
const step = fc.oneof(
  fc.constant('page' as const),
  fc.constant('commit' as const),
  fc.record({ end: fc.nat(80) }),
  fc.record({ redrive: fc.nat(80) }),
);

it('knows how many wait, whatever comes and goes while it counts what was there', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: OLD, maxLength: OLD }), fc.array(step), (dead, steps) => {
      const waiting = new Set<number>();
      const ended = new Set<number>();
      for (const [i, isDead] of dead.entries()) (isDead ? ended : waiting).add(i + 1);
      const backlog = createTriggerBacklog();
      backlog.countUpTo(OLD);
      let cursor = OLD + 1;
      let last = OLD;
      const page = (): void => {
        const from = Math.max(0, cursor - 7);
        const rows = [...waiting].filter((id) => id < cursor && id >= from);
        // A page is read before what happens meanwhile is known.
        backlog.found(rows.map((id) => ({ id, trigger: 'a/b' })));
        cursor = from;
      };
      for (const one of steps) {
        if (one === 'page') {
          page();
        } else if (one === 'commit') {
          waiting.add(++last);
          backlog.added('a/b');
        } else if ('end' in one) {
          if (!waiting.delete(one.end)) continue;
          ended.add(one.end);
          backlog.ended('a/b', one.end);
        } else if (ended.delete(one.redrive)) {
          waiting.add(one.redrive);
          backlog.added('a/b', one.redrive);
        }
      }
      while (cursor > 0) page();
      expect(backlog.of('a/b')).toBe(waiting.size);
    }),
  );
});

it('counts one once that changed its state between two pages', () => {
  const backlog = createTriggerBacklog();
  backlog.countUpTo(5);
  const row = { id: 3, trigger: 'a/b' };
  backlog.found([row]);
  backlog.found([row]);
  expect(backlog.of('a/b')).toBe(1);
  backlog.ended('a/b', 3);
  backlog.found([row]);
  expect(backlog.of('a/b')).toBe(0);
});

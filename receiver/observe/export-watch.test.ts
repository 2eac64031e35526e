import { expect, it } from 'vitest';
import { createExportWatch } from './export-watch.ts';
import { createLog } from './log.ts';

const MINUTE = 60_000;

it('tells at once that spans are lost, not each time, and once that they arrive again', () => {
  const told: unknown[] = [];
  let now = 0;
  const write = (line: string) => {
    const { level, error, lost } = JSON.parse(line) as Record<string, unknown>;
    told.push([level, error, lost].filter((part) => part !== undefined));
  };
  const exported = createExportWatch({ log: createLog('info', { write }), now: () => now });
  const refused = new Error('connect ECONNREFUSED 127.0.0.1:1');
  exported(5, undefined);
  expect(told).toEqual([]);
  exported(5, refused);
  exported(7, refused);
  expect(told).toEqual([['warn', refused.message, 5]]);
  now = 10 * MINUTE;
  exported(1, Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }));
  exported(2, refused);
  expect(told.slice(1)).toEqual([['warn', 'ECONNREFUSED', 13]]);
  exported(5, undefined);
  exported(5, undefined);
  expect(told.slice(2)).toEqual([['info', 15]]);
  exported(3, refused);
  expect(told.slice(3)).toEqual([['warn', refused.message, 3]]);
});

import { describe, expect, it } from 'vitest';
import { answerExit, printAnswer, printAnswerJson } from './answer.ts';

const URL = 'http://r/e/a';

function answer(status: number, body: unknown, retryAfter?: string) {
  return { url: URL, status, retryAfter, text: typeof body === 'string' ? body : JSON.stringify(body) };
}

describe('printAnswer', () => {
  it.each([
    [
      answer(202, { events: [{ source: '/s', id: '1', duplicate: false, triggers: ['shop/a', 'shop/b'] }] }),
      [`202 from ${URL}`, '  event     1 from /s', '  taken by  shop/a, shop/b'],
    ],
    [
      answer(202, { events: [{ source: '/s', id: '1', duplicate: true, differs: true, triggers: [] }] }),
      [
        `202 from ${URL}`,
        '  event     1 from /s',
        '  taken by  no trigger; `signalbox explain 1` tells why',
        '  repeat    seen before with other content; nothing new happens',
      ],
    ],
    [
      answer(202, { events: [{ source: '/s', id: '1', triggers: ['shop/a'], instances: ['0f', '1e'] }] }),
      [`202 from ${URL}`, '  event     1 from /s', '  taken by  shop/a', '  instance  0f, 1e'],
    ],
    [
      answer(401, { error: { code: 'unauthorized', message: 'Not proved.' } }),
      [`401 from ${URL}: Not proved.`],
    ],
    [answer(503, { error: { message: 'Full.' } }, '30'), [`503 from ${URL}: Full. Retry after 30 s.`]],
    [answer(404, 'nothing'), [`404 from ${URL}: nothing`]],
    [answer(204, ''), [`204 from ${URL}: no body`]],
  ])('%#', (given, lines) => {
    expect(printAnswer(given).split('\n')).toEqual(lines);
  });

  it('gives scripts the answer as it came', () => {
    expect(JSON.parse(printAnswerJson(answer(202, { events: [] })))).toEqual({
      url: URL,
      status: 202,
      answer: { events: [] },
    });
    expect(JSON.parse(printAnswerJson(answer(500, 'oh')))).toEqual({ url: URL, status: 500, answer: 'oh' });
  });
});

describe('answerExit', () => {
  it.each([
    [202, 0],
    [400, 1],
    [302, 1],
    [429, 3],
    [503, 3],
  ])('%d → %d', (status, exit) => {
    expect(answerExit(answer(status, ''))).toBe(exit);
  });
});

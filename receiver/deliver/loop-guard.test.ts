import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CloudEvent } from '../event/event.ts';
import type { Destination } from '../routing/table.ts';
import { ORIGIN_ATTRIBUTE, originOf, refuseLoop, withOrigin } from './loop-guard.ts';

const JOB: Destination = { kind: 'job', url: 'http://ojs.jobs.svc:8080', headers: [] };

function event(origins: string | undefined): CloudEvent {
  const attributes = { specversion: '1.0', id: '1', source: '/s', type: 't' };
  return new CloudEvent(
    origins === undefined ? attributes : { ...attributes, [ORIGIN_ATTRIBUTE]: origins },
    undefined,
    () => null,
  );
}

describe('a backend', () => {
  it.each([
    ['http://ojs.jobs.svc:8080/', 'HTTP://OJS.jobs.svc.cluster.local.:8080'],
    ['http://127.0.0.1:8585', 'http://localhost:8585//'],
    ['http://0x7f000001:8585', 'http://127.0.0.1:8585'],
    ['https://ojs.example/', 'https://ojs.example:443'],
    ['http://ojs.example/base/', 'http://ojs.example/base?token=x'],
  ])('is the same as %s and as %s', (a, b) => {
    expect(originOf(a)).toBe(originOf(b));
  });

  it.each([
    ['http://ojs.jobs.svc', 'http://ojs.shop.svc'],
    ['http://ojs:8080', 'http://ojs:8081'],
    ['http://ojs/a', 'http://ojs/b'],
  ])('is another as %s and as %s', (a, b) => {
    expect(originOf(a)).not.toBe(originOf(b));
  });
});

describe('the loop guard', () => {
  it('refuses a job on any backend that the event comes from, unless it may', () => {
    const own = originOf(JOB.url);
    const chain = withOrigin(withOrigin(undefined, own), originOf('http://other'));
    for (const origins of [own, chain]) {
      expect(() => refuseLoop(event(origins), JOB)).toThrow(/loop; set allowLoop: true/);
      refuseLoop(event(origins), { ...JOB, allowLoop: true });
      refuseLoop(event(origins), { ...JOB, kind: 'sink' });
      refuseLoop(event(origins), { ...JOB, url: 'http://third' });
    }
    refuseLoop(event(undefined), JOB);
  });

  it('knows a chain of any backends, keeps its length in bounds, and believes nothing that it did not write', () => {
    const url = fc.webUrl();
    fc.assert(
      fc.property(fc.array(url, { minLength: 1, maxLength: 30 }), fc.string(), (urls, junk) => {
        const start = /^[0-9a-f.]*$/.test(junk) ? undefined : junk;
        const origins = urls
          .map(originOf)
          .reduce<string | undefined>((chain, one) => withOrigin(chain, one), start);
        const last = urls.at(-1) ?? '';
        expect(() => refuseLoop(event(origins), { ...JOB, url: last })).toThrow(/loop/);
        expect(origins).toMatch(/^[0-9a-f]{16}(\.[0-9a-f]{16}){0,15}$/);
      }),
    );
  });
});

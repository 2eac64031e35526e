import { describe, inject, test } from 'vitest';
import type { Connection } from './connection.ts';
import type { Provided } from './provided.ts';

/**
 * A suite that needs the run's API server. Where there is none it is left out and its name says why, or, with
 * `SIGNALBOX_TEST_ALL` set, it fails.
 *
 * @example
 * describeWithServer('the operator', (server) => { test('…', async () => { … }); });
 */
export function describeWithServer(name: string, suite: (server: Connection) => void): void {
  const provided: Provided | undefined = inject('apiServer');
  if (provided === undefined) throw new Error('vitest.config.ts does not run test/apiserver/global-setup.ts');
  const { server, missing } = provided;
  if (server !== undefined) {
    describe(name, () => suite(server));
  } else if (process.env['SIGNALBOX_TEST_ALL']) {
    test(`${name} needs an API server`, () => {
      throw new Error(missing);
    });
  } else {
    describe.skip(`${name} (left out: ${missing})`, () => {
      test('needs an API server', () => undefined);
    });
  }
}

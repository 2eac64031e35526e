import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { openListener } from '../receiver/http/listener.ts';
import { JournalError } from '../receiver/journal/journal.ts';
import { demoError } from './demo-error.ts';
import { CommandError } from './exit-codes.ts';

it('tells which port of the demo is in use, and names no option', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const opening = openListener(
    'address',
    { host: '127.0.0.1', port },
    () => false,
    () => undefined,
  );
  const error: unknown = await opening.catch((reason: unknown) => reason);
  other.close();
  expect(demoError(error)).toEqual(
    new CommandError(`The demo needs 127.0.0.1:${port}, which is in use; free it and start again.`),
  );
});

it('tells a journal and a file that cannot be used', () => {
  const journal = new JournalError('JournalLocked', 'another process uses .signalbox');
  expect(demoError(journal)).toEqual(new CommandError('Another process uses .signalbox.'));
  const file = Object.assign(new Error('no'), { code: 'EACCES', path: '.signalbox/admin-token' });
  expect(demoError(file)).toEqual(
    new CommandError('.signalbox/admin-token cannot be used (EACCES); let this user read and write it.'),
  );
});

it('leaves a defect as it is', () => {
  const defect = new TypeError('x is undefined');
  expect(demoError(defect)).toBe(defect);
});

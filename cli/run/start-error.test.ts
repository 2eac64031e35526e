import { describe, expect, it } from 'vitest';
import { JournalError } from '../../receiver/journal/journal.ts';
import { CommandError } from '../exit-codes.ts';
import { startError } from './start-error.ts';

describe('startError', () => {
  it('tells a journal that cannot be opened, and how another is chosen', () => {
    const told = startError(new JournalError('JournalLocked', 'another process uses d'), 'd');
    expect(told).toBeInstanceOf(CommandError);
    expect((told as CommandError).message).toBe(
      'Another process uses d. The directory is what --data names.',
    );
  });

  it('tells a database that cannot be used', () => {
    const told = startError(new JournalError('JournalUnavailable', 'the database d is full'), 'd', true);
    expect((told as CommandError).message).toBe(
      'The database d is full. The database is what --journal names.',
    );
  });

  it('tells a file that cannot be read', () => {
    const error = Object.assign(new Error('no'), { code: 'EACCES', path: 'd/admin-token' });
    expect((startError(error, 'd') as CommandError).message).toBe(
      'd/admin-token in the data directory d cannot be used (EACCES); let this user read and write it, or choose another directory with --data.',
    );
  });

  it('leaves a defect as it is', () => {
    const defect = new TypeError('x is undefined');
    expect(startError(defect, 'd')).toBe(defect);
  });
});

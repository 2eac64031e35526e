import { describe, expect, it } from 'vitest';
import { openJournal } from './open-journal.ts';

const log = { warn: () => undefined, error: () => undefined };

describe('opening a journal in a database', () => {
  it('refuses limits that it would not keep to, and names the field', async () => {
    const place = { url: 'postgres://u:p@127.0.0.1:1/d', directory: '/nowhere', log };
    await expect(openJournal({ ...place, limits: { dead: { events: 5 } } })).rejects.toThrow(
      /^limits\.dead: .* give retention\.dead or maxBytes$/,
    );
  });
});

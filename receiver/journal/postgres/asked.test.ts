import pg from 'pg';
import { expect, it } from 'vitest';
import { describeWithPostgres } from '../../../test/postgres/suite.ts';
import { openProxy } from '../../../test/proxy.ts';
import { answeredWithin } from './asked.ts';
import { isConnectionLost } from './postgres-error.ts';

describeWithPostgres('a client that waits only so long', (postgres) => {
  async function withClient(ms: number, use: (client: pg.Client, mute: () => void) => Promise<void>) {
    const database = await postgres.database();
    const proxy = await openProxy(database.url);
    const client = answeredWithin(ms, new pg.Client({ connectionString: proxy.url, pipeline: true }));
    client.on('error', () => undefined);
    try {
      await client.connect();
      await use(client, () => proxy.mute());
    } finally {
      await client.end();
      await proxy.close();
      await database.drop();
    }
  }

  it('fails what was asked once an answer is overdue, as a connection that was lost', async () => {
    await withClient(300, async (client, mute) => {
      expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
      mute();
      const asked = [client.query('SELECT 2'), client.query({ text: 'SELECT $1::int', values: [3] })];
      for (const failed of await Promise.allSettled(asked)) {
        expect(failed).toMatchObject({ status: 'rejected' });
        if (failed.status === 'rejected') expect(isConnectionLost(failed.reason)).toBe(true);
      }
    });
  });

  it('waits for each anew: many that are in time may take longer together', async () => {
    await withClient(2000, async (client) => {
      const slow = { text: 'SELECT pg_sleep(0.5), $1::int AS n' };
      const asked = [1, 2, 3, 4, 5].map((n) => client.query({ ...slow, values: [n] }));
      expect((await Promise.all(asked)).map(({ rows }) => (rows[0] as { n: number }).n)).toEqual([
        1, 2, 3, 4, 5,
      ]);
    });
  });

  it('tells what the server says against a statement, and goes on', async () => {
    await withClient(2000, async (client) => {
      await expect(client.query('SELECT nothing')).rejects.toMatchObject({ code: '42703' });
      expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    });
  });
});

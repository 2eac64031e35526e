import { setTimeout as after } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startPostgres } from '../../../test/postgres/server.ts';
import { describeWithPostgres, makeDatabase, type TestDatabase } from '../../../test/postgres/suite.ts';
import { openProxy } from '../../../test/proxy.ts';
import { type Journal, JournalError } from '../journal.ts';
import { commit, unit } from '../journal-testing.ts';
import { parsePostgresAddress } from './address.ts';
import { connect } from './connection.ts';
import { migrate } from './migrate.ts';
import { openPostgresJournal } from './postgres-journal.ts';
import { MIGRATIONS } from './schema.ts';

const T = 1_800_000_000_000;

describeWithPostgres('a PostgreSQL in trouble', (postgres) => {
  let database: TestDatabase;
  let opened: Journal[];

  beforeEach(async () => {
    database = await postgres.database();
    opened = [];
  });

  afterEach(async () => {
    await Promise.all(opened.map((journal) => journal.close()));
    await database.drop();
  });

  async function open(url = database.url): Promise<Journal> {
    const journal = await openPostgresJournal({ address: parsePostgresAddress(url) });
    opened.push(journal);
    return journal;
  }

  const refusal = (url?: string): Promise<JournalError> =>
    open(url).then(
      () => expect.fail('it opened'),
      (error: unknown) => {
        expect(error).toBeInstanceOf(JournalError);
        return error as JournalError;
      },
    );

  function changed(change: (url: URL) => void): string {
    const url = new URL(database.url);
    change(url);
    return url.href;
  }

  async function count(table: string): Promise<number> {
    const { rows } = await database.query(`SELECT count(*)::int AS n FROM signalbox.${table}`);
    return (rows[0] as { n: number }).n;
  }

  /** Resolves once the question has an answer. */
  async function until(question: string): Promise<void> {
    while ((await database.query(question)).rows.length === 0) await after(10);
  }

  /** Commits until it is taken; how often it was refused before. */
  async function insist(journal: Journal, key: string): Promise<number> {
    for (let refused = 0; ; refused++) {
      try {
        await commit(journal, [unit({ at: T, key, triggers: ['a/x'], held: true })]);
        return refused;
      } catch (error) {
        expect((error as JournalError).code).toBe('JournalUnavailable');
        await after(20);
      }
    }
  }

  describe('is told at the start, with the remedy', () => {
    it.each<[string, (url: URL) => void, RegExp]>([
      [
        'a wrong password',
        (url) => {
          url.password = 'wrong';
        },
        /refuses the password; give the right one/,
      ],
      [
        'no such database',
        (url) => {
          url.pathname = '/none';
        },
        /does not exist; create it/,
      ],
      ['no TLS', (url) => url.searchParams.set('sslmode', 'require'), /speaks no TLS; .*sslmode=disable/],
      [
        'nobody there',
        (url) => {
          url.port = '1';
        },
        /cannot be used: .*ECONNREFUSED/,
      ],
    ])('%s', async (_, change, message) => {
      const error = await refusal(changed(change));
      expect(error.code).toBe('JournalUnavailable');
      expect(error.message).toMatch(message);
      expect(error.message).not.toContain(new URL(database.url).password);
    });

    it('a user without rights', async () => {
      const role = `role_${Date.now()}`;
      await database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'p'`);
      try {
        const error = await refusal(
          changed((url) => {
            url.username = role;
            url.password = 'p';
          }),
        );
        expect(error.message).toMatch(/may not use .*GRANT CREATE ON DATABASE/);
      } finally {
        await database.query(`DROP ROLE ${role}`);
      }
    });

    it('a read-only database, as a replica is', async () => {
      const name = new URL(database.url).pathname.slice(1);
      await database.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
      expect((await refusal()).message).toMatch(/is read-only: .*connect to the primary/);
    });

    it('one that loses what it acknowledged', async () => {
      const name = new URL(database.url).pathname.slice(1);
      await database.query(`ALTER DATABASE ${name} SET synchronous_commit = off`);
      expect((await refusal()).message).toMatch(/synchronous_commit = off.*turn it on/);
    });

    it('a schema that a newer program made; an older one is brought up', async () => {
      await (await open()).close();
      const address = parsePostgresAddress(database.url);
      const client = await connect(address);
      await migrate(client, 'it', [...MIGRATIONS, 'CREATE TABLE later (id int);']);
      expect((await client.query('SELECT to_regclass($1) AS made', ['later'])).rows).toEqual([
        { made: 'later' },
      ]);
      await client.end();
      const error = await refusal();
      expect(error.code).toBe('JournalTooNew');
      const [newer, known] = [MIGRATIONS.length + 1, MIGRATIONS.length];
      expect(error.message).toContain(
        `is of version ${newer} and this program reads up to ${known}; run the newer program`,
      );
    });
  });

  it('a migration that fails leaves nothing behind', async () => {
    const client = await connect(parsePostgresAddress(database.url));
    await expect(migrate(client, 'it', [`${MIGRATIONS[0]} SELECT 1 / 0;`])).rejects.toThrow(/division/);
    await client.end();
    await (await open()).close();
  });

  it('loses nothing acknowledged when every connection is ended, again and again', async () => {
    const journal = await open();
    let going = true;
    let acknowledged = 0;
    const senders = Array.from({ length: 8 }, async (_, sender) => {
      for (let i = 0; going; i++) {
        await insist(journal, `${sender}/${i}`);
        acknowledged++;
      }
    });
    for (let i = 0; i < 6; i++) {
      await after(150);
      await database.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
      );
    }
    going = false;
    await Promise.all(senders);
    expect([await count('seen'), await count('waiting')]).toEqual([acknowledged, acknowledged]);
  });

  it('keeps what was settled while it was away, and tells it once it is back', async () => {
    if (postgres.binaries === undefined) return;
    const server = await startPostgres(postgres.binaries, { fsync: false });
    try {
      const own = await makeDatabase(server.url);
      const journal = await open(own.url);
      const [outcome] = await commit(journal, [unit({ at: T, key: 'k', triggers: ['a/x'], held: true })]);
      const delivery = outcome?.outcome === 'committed' ? (outcome.deliveries[0] ?? 0) : 0;
      await server.kill();
      journal.settle({ delivery, state: 'delivered', attempt: { at: T, durationMs: 1 } });
      await expect(commit(journal, [unit({ at: T, key: 'other' })])).rejects.toMatchObject({
        code: 'JournalUnavailable',
      });
      await expect(journal.stats()).rejects.toMatchObject({ code: 'JournalUnavailable' });
      await server.start();
      await insist(journal, 'other');
      await journal.flush();
      expect((await journal.deliveries({ limit: 9, state: 'delivered' })).items).toMatchObject([
        { id: delivery },
      ]);
      await journal.close();
    } finally {
      await server.stop();
    }
  });

  it('gives to anybody what it holds by a commit whose answer was lost', async () => {
    const proxy = await openProxy(database.url);
    const journal = await open(proxy.url);
    await insist(journal, 'first');
    proxy.mute();
    const lost = commit(journal, [unit({ at: T, triggers: ['a/x'], held: true })]);
    const failed = expect(lost).rejects.toMatchObject({ code: 'JournalUnavailable' });
    while ((await count('waiting')) < 2) await after(10);
    proxy.cut();
    await failed;
    await insist(journal, 'second');
    // The first and the second are in this one's memory; the caller of the other was told that it had failed.
    expect(await journal.claim(T, 9, 1 << 20)).toHaveLength(1);
    await journal.close();
    await proxy.close();
  });

  it('gives that to anybody also where no event comes any more, and says so', async () => {
    const proxy = await openProxy(database.url);
    const journal = await open(proxy.url);
    await insist(journal, 'first');
    proxy.mute('COMMIT');
    const lost = commit(journal, [unit({ at: T, triggers: ['a/x'], held: true })]);
    const failed = expect(lost).rejects.toMatchObject({ code: 'JournalUnavailable' });
    while ((await count('waiting')) < 2) await after(10);
    const told = new Promise<void>((resolve) => journal.watch(resolve));
    proxy.refuse();
    await failed;
    await expect(commit(journal, [unit({ at: T })])).rejects.toMatchObject({ code: 'JournalUnavailable' });
    proxy.cut();
    await told;
    expect(await journal.claim(T, 9, 1 << 20)).toHaveLength(1);
    await journal.close();
    await proxy.close();
  });

  it.each(['SELECT', 'COMMIT'])(
    'claims again what it claimed where the answer to %s was lost',
    async (answer) => {
      const proxy = await openProxy(database.url);
      const journal = await open(proxy.url);
      await commit(journal, [unit({ at: T, triggers: ['a/x'] })]);
      proxy.mute(answer);
      const lost = journal.claim(T, 9, 1 << 20);
      const failed = expect(lost).rejects.toMatchObject({ code: 'JournalUnavailable' });
      await until(`SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
      WHERE l.relation = 'signalbox.waiting'::regclass AND l.mode = 'RowExclusiveLock' AND a.state = 'idle in transaction'
      UNION ALL SELECT FROM signalbox.waiting WHERE holder <> 0`);
      proxy.cut();
      await failed;
      expect(await journal.claim(T, 9, 1 << 20)).toHaveLength(1);
      await journal.close();
      await proxy.close();
    },
  );

  it('drops its oldest history near its limit, refuses at it, and goes on once there is room', async () => {
    const DAY = 86_400_000;
    const address = parsePostgresAddress(database.url);
    const journal = await openPostgresJournal({ address, maxBytes: 100_000 });
    opened.push(journal);
    const large = (at: number, n: number) =>
      commit(
        journal,
        Array.from({ length: n }, () => unit({ at, data: Buffer.alloc(10_000) })),
      );
    await large(T, 5);
    await large(T + 2 * DAY, 6);
    const refused = async (): Promise<string> => {
      try {
        // A repeat: it adds nothing.
        await commit(journal, [unit({ at: T + 2 * DAY, key: 'same' })]);
        return 'taken';
      } catch (error) {
        return (error as JournalError).code;
      }
    };
    await expect.poll(refused, { timeout: 10_000 }).toBe('JournalFull');
    expect(await journal.prune(T + 2 * DAY)).toBe(5);
    await expect.poll(refused, { timeout: 10_000 }).toBe('taken');
  });

  it('says so when its disk is full, and goes on once there is room', async () => {
    const journal = await open();
    await insist(journal, 'first');
    await database.query(`CREATE FUNCTION signalbox.full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$;
      CREATE TRIGGER full_disk BEFORE INSERT ON signalbox.waiting EXECUTE FUNCTION signalbox.full()`);
    const refused = commit(journal, [unit({ at: T, key: 'k', triggers: ['a/x'] })]);
    await expect(refused).rejects.toMatchObject({ code: 'JournalFull' });
    await expect(refused).rejects.toThrow(/disk .* is full; free some space/);
    await database.query('DROP TRIGGER full_disk ON signalbox.waiting');
    await insist(journal, 'k');
  });
});

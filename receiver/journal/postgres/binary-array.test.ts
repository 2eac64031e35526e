import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithPostgres, type TestDatabase } from '../../../test/postgres/suite.ts';
import { bigints, byteas, float8s, int4s, int8s, texts, uuids } from './binary-array.ts';

describeWithPostgres('arrays in binary', (postgres) => {
  let database: TestDatabase;
  let client: pg.Client;

  beforeAll(async () => {
    database = await postgres.database();
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
  });

  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  async function read(type: string, array: Buffer): Promise<unknown[]> {
    const { rows } = await client.query(`SELECT unnest($1::${type}[]) AS value`, [array]);
    return (rows as { value: unknown }[]).map(({ value }) => value);
  }

  const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.array(fc.option(arbitrary, { nil: undefined }));
  const orNull = (values: readonly unknown[]) => values.map((value) => value ?? null);

  it('are read by the server as they were written', async () => {
    const bytes = fc.uint8Array({ maxLength: 100 });
    const text = fc.string({ unit: 'grapheme', maxLength: 50 }).filter((each) => each.isWellFormed());
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.maxSafeInteger()),
        optional(fc.double({ noNaN: true })),
        optional(text),
        optional(bytes),
        fc.array(fc.uint8Array({ minLength: 16, maxLength: 16 })),
        async (whole, floats, strings, blobs, ids) => {
          expect(await read('int8', int8s(whole))).toEqual(whole.map(String));
          expect(await read('int8', bigints(whole.map(BigInt)))).toEqual(whole.map(String));
          expect(await read('int4', int4s(whole.map((each) => each % 2 ** 31)))).toEqual(
            whole.map((each) => (each % 2 ** 31) + 0),
          );
          expect(await read('float8', float8s(floats))).toEqual(orNull(floats));
          expect(await read('text', texts(strings))).toEqual(
            orNull(strings.map((each) => each?.replaceAll('\0', '\ufffd'))),
          );
          const blobsRead = (await read('bytea', byteas(blobs))) as (Buffer | null)[];
          expect(blobsRead.map((each) => each?.toString('hex'))).toEqual(
            blobs.map((each) => (each === undefined ? undefined : Buffer.from(each).toString('hex'))),
          );
          const idsRead = (await read('uuid', uuids(ids))) as string[];
          expect(idsRead.map((each) => each.replaceAll('-', ''))).toEqual(
            ids.map((each) => Buffer.from(each).toString('hex')),
          );
        },
      ),
      { numRuns: 60 },
    );
  });
});

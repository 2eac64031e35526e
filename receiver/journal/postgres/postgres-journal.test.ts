import { describeWithPostgres } from '../../../test/postgres/suite.ts';
import { journalProperty } from '../journal-property.ts';
import { journalSuite, type Place } from '../journal-suite.ts';
import { parsePostgresAddress } from './address.ts';
import { openPostgresJournal } from './postgres-journal.ts';

describeWithPostgres('PostgreSQL', (postgres) => {
  async function place(): Promise<Place> {
    const database = await postgres.database();
    return {
      open: () => openPostgresJournal({ address: parsePostgresAddress(database.url) }),
      remove: database.drop,
    };
  }

  journalSuite('PostgreSQL', place);
  journalProperty('PostgreSQL', place, 25);
});

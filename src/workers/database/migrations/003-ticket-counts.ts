/** How many tickets of signed URLs each space has: there is a limit, and counting them would take longer and longer. */
import { type Migration } from './migration.ts'

export const MIGRATION_003: Migration = {
  number: 3,
  statements: [
    `CREATE TABLE signed_kv_ticket_count (
      space_no INTEGER NOT NULL PRIMARY KEY,
      tickets INTEGER NOT NULL
    ) STRICT`,
    `INSERT INTO signed_kv_ticket_count
      SELECT space_no, count(*) FROM signed_kv_ticket GROUP BY space_no`,
  ],
}

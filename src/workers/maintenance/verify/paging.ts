/** Reads a table page by page in the order of its key. */
import { type MaybePromise } from '../../database/transactor.ts'

/** A tree of the database is damaged. */
export class DisorderedRows extends Error {
  override readonly name = 'DisorderedRows'
}

/**
 * Every row once. A damaged tree may give keys out of order; the walk then ends with an error instead of going round.
 * @param compare order of the keys of two rows, as the table has them
 * @throws {DisorderedRows} when a key does not come after the one before it
 */
export async function* readPages<Row>(
  readPage: (after: Row | undefined) => MaybePromise<readonly Row[]>,
  compare: (a: Row, b: Row) => number,
): AsyncGenerator<Row> {
  let last: Row | undefined
  for (;;) {
    const page = await readPage(last)
    if (page.length === 0) return
    for (const row of page) {
      if (last !== undefined && compare(last, row) >= 0)
        throw new DisorderedRows('rows are not in the order of their key')
      last = row
      yield row
    }
  }
}

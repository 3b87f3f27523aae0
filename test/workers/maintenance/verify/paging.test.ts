/** Tables page by page, also damaged ones. */
import { describe, expect, it } from 'vitest'
import { DisorderedRows, readPages } from '../../../../src/workers/maintenance/verify/paging.ts'

const compare = (a: number, b: number): number => a - b

async function collect(readPage: (after: number | undefined) => number[]): Promise<number[]> {
  const rows: number[] = []
  for await (const row of readPages(readPage, compare)) rows.push(row)
  return rows
}

describe('readPages', () => {
  it.each([0, 1, 2, 3, 7])(
    'gives every row once, in order, from pages of 3: %i rows',
    async (count) => {
      const stored = Array.from({ length: count }, (_, index) => index * 2)
      const rows = await collect((after = -1) => stored.filter((row) => row > after).slice(0, 3))
      expect(rows).toEqual(stored)
    },
  )

  it('ends when keys go back: a damaged tree must not be walked for ever', async () => {
    await expect(collect(() => [1, 2, 3])).rejects.toThrow(DisorderedRows)
    await expect(collect((after) => (after === undefined ? [5, 4] : []))).rejects.toThrow(
      DisorderedRows,
    )
    await expect(collect((after) => (after === undefined ? [5, 5] : []))).rejects.toThrow(
      DisorderedRows,
    )
  })
})

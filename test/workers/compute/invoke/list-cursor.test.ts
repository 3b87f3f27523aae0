import { createSecretKey } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  formatListCursor,
  parseListCursor,
} from '../../../../src/workers/compute/invoke/list-cursor.ts'

const key = createSecretKey(new Uint8Array(32).fill(7))
const cursor = formatListCursor(key, 'scope', Buffer.from('last/key'))

describe('list cursors (LIST-3)', () => {
  it('give back the key that they were made of', () => {
    expect(Buffer.from(parseListCursor(key, 'scope', cursor)).toString()).toBe('last/key')
    expect(parseListCursor(key, 's', formatListCursor(key, 's', new Uint8Array(0)))).toHaveLength(0)
  })

  it('work in their scope and under their secret only', () => {
    expect(() => parseListCursor(key, 'other', cursor)).toThrow('Invalid KV list cursor')
    expect(() => parseListCursor(createSecretKey(new Uint8Array(32)), 'scope', cursor)).toThrow(
      'Invalid KV list cursor',
    )
  })

  it.each([
    '',
    'garbage',
    'e30',
    `${cursor}AA`,
    cursor.slice(0, -2),
    `${cursor}=`,
    `B${cursor.slice(1)}`,
    '\u0000',
  ])('refuse %j', (text) => {
    expect(() => parseListCursor(key, 'scope', text)).toThrow('Invalid KV list cursor')
  })
})

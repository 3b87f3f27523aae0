/** Which part of a value `Range` and `If-Range` ask for (RANGE-1, RANGE-2). */
import { describe, expect, it } from 'vitest'
import { type WantedPart, wantedPart } from '../../../../src/workers/compute/value/byte-range.ts'

const ETAG = `"blake3-${'ab'.repeat(32)}"`

/** `a-b` for a part, else the kind. */
function told(range: string | undefined, valueBytes: number, ifRange?: string): string {
  const part: WantedPart = wantedPart({ range, ifRange }, { etag: ETAG, valueBytes })
  return part.kind === 'part' ? `${part.first}-${part.last}` : part.kind
}

describe('one range in bytes (RANGE-1)', () => {
  it.each([
    ['bytes=0-3', '0-3'],
    ['bytes=4-4', '4-4'],
    ['bytes=0-0', '0-0'],
    ['bytes=9-9', '9-9'],
    ['bytes=7-', '7-9'],
    ['bytes=0-', '0-9'],
    ['bytes=-3', '7-9'],
    ['bytes=-10', '0-9'],
    ['bytes=-30', '0-9'],
    ['bytes=5-100', '5-9'],
    ['bytes=0-999999999999999999999999', '0-9'],
    [`bytes=0-${'9'.repeat(400)}`, '0-9'],
    [`bytes=-${'9'.repeat(400)}`, '0-9'],
    ['bytes=00-03', '0-3'],
    ['BYTES=0-3', '0-3'],
    [' bytes= 0-3 ', '0-3'],
  ])('%s of ten is %s', (range, part) => expect(told(range, 10)).toBe(part))

  it.each(['bytes=10-', 'bytes=10-12', 'bytes=99-', 'bytes=-0', `bytes=${'9'.repeat(400)}-`])(
    '%s of ten lies outside',
    (range) => expect(told(range, 10)).toBe('outside'),
  )

  it.each(['bytes=0-', 'bytes=0-0', 'bytes=-1', 'bytes=-0'])(
    'nothing is in an empty value: %s',
    (range) => expect(told(range, 0)).toBe('outside'),
  )

  it.each([
    'bytes=0-1,3-4',
    'bytes=0-1,',
    'bytes=',
    'bytes=-',
    'bytes=a-b',
    'bytes=0x1-2',
    'bytes=1.5-2',
    'bytes=+1-2',
    'bytes=5-2',
    'bytes=0-1-2',
    'bytes 0-1',
    'bytes0-1',
    'items=0-1',
    'xbytes=0-1',
    '0-1',
    '',
    'bytes=١-٢',
  ])('%j is ignored', (range) => expect(told(range, 10)).toBe('whole'))

  it('is not asked for without the header', () => {
    expect(told(undefined, 10)).toBe('whole')
    expect(told(undefined, 10, ETAG)).toBe('whole')
  })

  it('takes linear time, whatever stands there', () => {
    const startedMs = performance.now()
    for (const range of [
      `bytes=${'1'.repeat(100_000)}`,
      `bytes=${' '.repeat(100_000)}x`,
      `bytes=0-${'0'.repeat(100_000)}x`,
      `bytes=${'0-1,'.repeat(25_000)}`,
    ])
      expect(told(range, 10)).toBe('whole')
    // A backtracking match of such texts takes minutes.
    expect(performance.now() - startedMs).toBeLessThan(2000)
  })
})

describe('If-Range (RANGE-2)', () => {
  it('keeps the range with exactly the ETag of the value', () => {
    expect(told('bytes=0-3', 10, ETAG)).toBe('0-3')
    expect(told('bytes=0-3', 10, ` ${ETAG} `)).toBe('0-3')
    expect(told('bytes=99-', 10, ETAG)).toBe('outside')
  })

  it.each([
    `W/${ETAG}`,
    `${ETAG}, ${ETAG}`,
    ETAG.slice(1, -1),
    ETAG.toUpperCase(),
    '*',
    '',
    'Tue, 24 Nov 2026 07:28:14 GMT',
    `"blake3-${'00'.repeat(32)}"`,
  ])('gives the whole value with %j', (ifRange) => {
    expect(told('bytes=0-3', 10, ifRange)).toBe('whole')
    expect(told('bytes=99-', 10, ifRange)).toBe('whole')
  })
})

/** The position of the scrub as it is kept, also when what was kept is something else. */
import { describe, expect, it } from 'vitest'
import { formatScrubPosition, readScrubPosition } from '../../../src/workers/maintenance/request.ts'

describe('the position of the scrub', () => {
  it('comes back as it was kept', () => {
    const position = { afterNo: 3 * 2 ** 32 + 77, cycleStartedAtS: 1_800_000_000.25 }
    expect(readScrubPosition(formatScrubPosition(position))).toEqual(position)
  })

  it.each([
    ['nothing', undefined],
    ['too few bytes', new Uint8Array(15)],
    ['too many bytes', new Uint8Array(17)],
    ['a number below 0', formatScrubPosition({ afterNo: -1, cycleStartedAtS: 1 })],
    ['half a number', formatScrubPosition({ afterNo: 0.5, cycleStartedAtS: 1 })],
    ['no number', formatScrubPosition({ afterNo: Number.NaN, cycleStartedAtS: 1 })],
    ['no time', formatScrubPosition({ afterNo: 1, cycleStartedAtS: Infinity })],
  ])('is none if it is %s', (_name, bytes) => {
    expect(readScrubPosition(bytes)).toBeUndefined()
  })
})

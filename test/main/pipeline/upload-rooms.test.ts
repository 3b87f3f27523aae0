/** Room of a space for uploads that are on their way at the same time. Rule: QUOTA-5. */
import { describe, expect, it } from 'vitest'

import { UploadRooms, VALUE_LIMIT } from '../../../src/main/pipeline/upload-rooms.ts'
import { type UploadRoom } from '../../../src/protocol/quota.ts'

const roomOf = (given: Partial<UploadRoom> = {}): UploadRoom => ({
  space: 'a',
  usedBytes: 0,
  creditBytes: 0,
  limitBytes: 100,
  ...given,
})

/** The place of an upload that must be admitted. */
function admitted(
  rooms: UploadRooms,
  room: UploadRoom | undefined,
  declaredBytes: number | undefined,
) {
  const admission = rooms.admit(room, declaredBytes)
  if (!admission.ok) throw new Error(admission.failure.detail)
  return admission.place
}

const refused = (rooms: UploadRooms, room: UploadRoom, declaredBytes: number | undefined) => {
  const admission = rooms.admit(room, declaredBytes)
  return admission.ok ? undefined : admission.failure
}

describe('uploads to one space', () => {
  it('count with the lengths that they declare, until they are over', () => {
    const rooms = new UploadRooms()
    const first = admitted(rooms, roomOf(), 60)
    expect(refused(rooms, roomOf(), 41)).toEqual({
      code: 'QUOTA_REMAINDER',
      detail: 'Used: 60 bytes, Limit: 100 bytes',
    })
    const second = admitted(rooms, roomOf(), 40)
    expect(refused(rooms, roomOf(), 1)?.code).toBe('QUOTA_EXCEEDED')
    first.release()
    admitted(rooms, roomOf(), 60).release()
    second.release()
    expect(rooms.spaceCount).toBe(0)
  })

  it('do not count in another space', () => {
    const rooms = new UploadRooms()
    admitted(rooms, roomOf(), 100)
    expect(admitted(rooms, roomOf({ space: 'b' }), 100).limit.bytesMax).toBe(100)
    expect(rooms.spaceCount).toBe(2)
  })

  it('may have what they replace, also where the space is over its limit', () => {
    const rooms = new UploadRooms()
    const full = roomOf({ usedBytes: 150, creditBytes: 70 })
    const place = admitted(rooms, full, 70)
    expect(place.limit).toEqual({
      bytesMax: 70,
      beyond: { code: 'QUOTA_EXCEEDED', detail: 'Used: 150 bytes, Limit: 100 bytes' },
    })
    expect(refused(rooms, full, 71)?.code).toBe('QUOTA_EXCEEDED')
    place.release()
    expect(rooms.spaceCount).toBe(0)
  })

  it('without a declared length may have what is left, and hold nothing back', () => {
    const rooms = new UploadRooms()
    const declared = admitted(rooms, roomOf({ usedBytes: 10 }), 30)
    const open = admitted(rooms, roomOf({ usedBytes: 10, creditBytes: 5 }), undefined)
    expect(open.limit).toEqual({
      bytesMax: 65,
      beyond: { code: 'QUOTA_REMAINDER', detail: 'Used: 40 bytes, Limit: 100 bytes' },
    })
    expect(admitted(rooms, roomOf({ usedBytes: 10 }), 60).limit.bytesMax).toBe(60)
    declared.release()
    open.release()
  })
})

describe('the length of a body', () => {
  it('is that of any value where the space has no limit, or room for more', () => {
    const rooms = new UploadRooms()
    expect(admitted(rooms, undefined, 5).limit).toBe(VALUE_LIMIT)
    expect(admitted(rooms, roomOf({ limitBytes: 10 ** 12 }), undefined).limit).toBe(VALUE_LIMIT)
    expect(rooms.spaceCount).toBe(0)
  })
})

import { describe, expect, it } from 'vitest'

import { Admission, type Grant } from '../../../src/main/pipeline/admission.ts'

const LIMITS = { operationsMax: 10, bytesMax: 1000, streamsMax: 4, share: 0.5 }

function admit(admission: Admission, client: string, space: string, bytes = 1): Grant | undefined {
  return admission.admit({ client, space, bytes })
}

function mustAdmit(admission: Admission, client: string, space: string, bytes = 1): Grant {
  const grant = admit(admission, client, space, bytes)
  if (!grant) throw new Error('not admitted')
  return grant
}

describe('Admission (HTTP-3)', () => {
  it('holds a client to its share of the operations, and all of them to the whole', () => {
    const admission = new Admission(LIMITS)
    for (let index = 0; index < 5; index++) expect(admit(admission, 'a', `s${index}`)).toBeDefined()
    expect(admit(admission, 'a', 's')).toBeUndefined()
    for (let index = 0; index < 5; index++) expect(admit(admission, 'b', `s${index}`)).toBeDefined()
    expect(admit(admission, 'c', 's')).toBeUndefined()
    expect(admission.refusedCount).toBe(2)
  })

  it('counts bytes, and takes back what was released', () => {
    const admission = new Admission(LIMITS)
    const first = mustAdmit(admission, 'a', 's', 500)
    expect(admit(admission, 'a', 's', 1)).toBeUndefined()
    expect(admit(admission, 'b', 's', 501)).toBeUndefined()
    expect(admit(admission, 'b', 's', 500)).toBeDefined()
    first.release()
    first.release()
    expect(admission.load).toEqual({ operations: 1, bytes: 500, streams: 0 })
    expect(admit(admission, 'a', 's', 500)).toBeDefined()
  })

  it('lets strangers who name a space fill their own share, never that of the space', () => {
    const admission = new Admission({ ...LIMITS, operationsMax: 40 })
    for (let index = 0; index < 20; index++) mustAdmit(admission, 'stranger', 'space')
    expect(admit(admission, 'stranger', 'space')).toBeUndefined()
    expect(admit(admission, 'owner', 'space')).toBeDefined()
  })

  it('moves a verified request from its client to its space, and refuses more for a space whose share is spent', () => {
    const admission = new Admission({ ...LIMITS, operationsMax: 40 })
    const grants = Array.from({ length: 20 }, () => mustAdmit(admission, 'a', 'space'))
    for (const grant of grants) {
      grant.confirm()
      grant.confirm()
    }
    expect(admit(admission, 'b', 'space')).toBeUndefined()
    expect(admit(admission, 'a', 'another')).toBeDefined()
    grants[0]?.release()
    expect(admit(admission, 'b', 'space')).toBeDefined()
  })

  it('bounds streams by number and by their windows', () => {
    const admission = new Admission(LIMITS)
    const open = (client: string, bytes: number): boolean =>
      mustAdmit(admission, client, client).openStream(bytes)
    expect(open('a', 100)).toBe(true)
    expect(open('a', 100)).toBe(true)
    expect(open('a', 100)).toBe(false)
    expect(open('b', 700)).toBe(false)
    expect(open('b', 10)).toBe(true)
    expect(open('c', 10)).toBe(true)
    expect(open('d', 10)).toBe(false)
    expect(admission.load.streams).toBe(4)
  })

  it('counts an answer that waits for a slow client', () => {
    const admission = new Admission(LIMITS)
    const grant = mustAdmit(admission, 'a', 's')
    grant.hold(600)
    expect(admit(admission, 'b', 's', 400)).toBeUndefined()
    grant.release()
    grant.hold(600)
    expect(admission.load).toEqual({ operations: 0, bytes: 0, streams: 0 })
  })

  it('remembers nobody who has nothing in flight', () => {
    const admission = new Admission(LIMITS)
    for (let index = 0; index < 1000; index++) {
      const grant = mustAdmit(admission, `client ${index}`, `space ${index}`)
      if (index % 2) grant.confirm()
      if (index % 3) grant.openStream(1)
      grant.release()
      grant.confirm()
    }
    expect(admission.holderCount).toBe(0)
    expect(admission.load).toEqual({ operations: 0, bytes: 0, streams: 0 })
  })
})

/** The harness sees what it is there for. */
import { expect, it } from 'vitest'
import { withDeadline } from '../_util/fuzz/harness.ts'
import { verdictOf } from '../_util/fuzz/refusal.ts'
import { ProtocolError } from '../../src/protocol/error.ts'

const BRIEF_MS = 100

const fail = (): never => {
  throw new RangeError('mine')
}
const refuse = (): never => {
  throw new ProtocolError('TOKEN_MALFORMED')
}

it('interrupts a loop that does not end', () => {
  let turns = 0
  const run = (): void => {
    for (;;) turns++
  }
  expect(withDeadline(run, BRIEF_MS)).toBe('late')
  expect(turns).toBeGreaterThan(0)
})

it('interrupts a regular expression that goes back for ever', () => {
  const text = `${'a'.repeat(50)}b`
  expect(withDeadline(() => /^(?:a+)+$/.test(text), BRIEF_MS)).toBe('late')
})

it('gives what came in time, and lets errors through', () => {
  expect(withDeadline(() => 1, BRIEF_MS)).toBe(1)
  expect(() => withDeadline(fail, BRIEF_MS)).toThrow(RangeError)
})

it('takes only the refusals that were named', () => {
  expect(verdictOf(['TOKEN_MALFORMED'], refuse)).toEqual({ code: 'TOKEN_MALFORMED' })
  expect(() => verdictOf(['SIGNATURE_INVALID'], refuse)).toThrow(ProtocolError)
})

/** The state of a stored delegation (STATUS-4): revocation before time, the end exclusive. */
import { describe, expect, it } from 'vitest'
import { type Standing, stateOf } from '../../../../src/workers/compute/delegations/state.ts'

type Window = readonly [notBeforeS: number | undefined, expiresAtS: number | undefined]

const stored = (
  revokedLink: number,
  [effectiveNotBeforeS, effectiveExpiresAtS]: Window,
): Standing => ({
  revokedLink,
  facts: { effectiveNotBeforeS, effectiveExpiresAtS },
})

describe('the state of a delegation (STATUS-4)', () => {
  it.each([
    ['without a window', -1, [undefined, undefined], 'active'],
    ['inside it', -1, [900, 1100], 'active'],
    ['at its first instant', -1, [1000, undefined], 'active'],
    ['before it', -1, [1000.5, undefined], 'pending'],
    ['just before its end', -1, [undefined, 1000.001], 'active'],
    ['at its end', -1, [undefined, 1000], 'expired'],
    ['in a window that is empty', -1, [1100, 900], 'expired'],
    ['revoked and in force', 0, [900, 1100], 'revoked'],
    ['revoked and expired', 0, [900, 950], 'revoked'],
    ['below a revoked one', 2, [900, 1100], 'ancestor_revoked'],
    ['below a revoked one, and expired', 1, [900, 950], 'ancestor_revoked'],
  ] satisfies readonly (readonly [string, number, Window, string])[])(
    '%s',
    (_what, revokedLink, window, state) => {
      expect(stateOf(stored(revokedLink, window), 1000)).toBe(state)
    },
  )
})

/** Which signatures a verification settles by itself, and which it only counts. */
import { describe, expect, it } from 'vitest'
import { type SignedToken } from '../../../../src/protocol/authority.ts'
import { signInvocation } from '../../../../src/protocol/client/key-tokens.ts'
import { signSessionDelegation } from '../../../../src/protocol/client/wallet-tokens.ts'
import { parseToken } from '../../../../src/protocol/token.ts'
import { type UnconfirmedSignatures } from '../../../../src/workers/maintenance/request.ts'
import { Findings } from '../../../../src/workers/maintenance/verify/findings.ts'
import { SignatureChecks } from '../../../../src/workers/maintenance/verify/signature-checks.ts'
import { NOW_S, OWNER, SESSION, SIGNING, SPACE } from '../../../_util/credentials.ts'

const grants = { [`${SPACE}/kv/a`]: ['tinycloud.kv/get'] }
const times = { nonce: 'urn:uuid:0', expiresAtS: NOW_S + 60 }
const session = { ...SIGNING, audience: SESSION.did, abilities: grants }

const OF_KEY = parseToken(signInvocation(SESSION, { ...times, grants }).authorization)
const DID_WEB = { did: 'did:web:web.example', didUrl: 'did:web:web.example#key-1' }
const OF_WEB = parseToken(
  signInvocation({ ...SESSION, ...DID_WEB }, { ...times, grants }).authorization,
)
const OF_WALLET = parseToken(signSessionDelegation(OWNER, session).authorization)

interface Verdict {
  readonly reasons: readonly string[]
  readonly unconfirmed: UnconfirmedSignatures
}

function check(token: SignedToken): Verdict {
  const findings = new Findings()
  const checks = new SignatureChecks(findings)
  checks.check(token, { kind: 'statement', rowId: 1 })
  return { reasons: findings.damages.map(({ reason }) => reason), unconfirmed: checks.unconfirmed }
}

const FALSE: Verdict = {
  reasons: ['signature: it is not signed by its issuer'],
  unconfirmed: { didWeb: 0, contractWallets: 0 },
}
const TRUE: Verdict = { ...FALSE, reasons: [] }
const flipped = (token: SignedToken): SignedToken => ({
  ...token,
  signature: token.signature.map((byte, index) => (index === 8 ? byte ^ 1 : byte)),
})

describe('a signature', () => {
  it('of a key is true or damage', () => {
    expect(check(OF_KEY)).toEqual(TRUE)
    expect(check(flipped(OF_KEY))).toEqual(FALSE)
  })

  it('of an account is true, or could be of its contract: that is counted, and no damage', () => {
    expect(check(OF_WALLET)).toEqual(TRUE)
    const ofContract = { ...TRUE, unconfirmed: { didWeb: 0, contractWallets: 1 } }
    expect(check(flipped(OF_WALLET))).toEqual(ofContract)
    expect(check({ ...OF_WALLET, signature: new Uint8Array(130) })).toEqual(ofContract)
  })

  it('of an account in a UCAN is of a key: no contract signs one', () => {
    const ucan = { ...OF_KEY, issuer: OWNER.did, issuerUrl: OWNER.did }
    expect(check(ucan)).toEqual(FALSE)
  })

  it('of a did:web is counted, whatever it is', () => {
    const ofWeb = { ...TRUE, unconfirmed: { didWeb: 1, contractWallets: 0 } }
    expect(check(OF_WEB)).toEqual(ofWeb)
    expect(check(flipped(OF_WEB))).toEqual(ofWeb)
  })
})

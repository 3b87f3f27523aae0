import { describe, expect, it } from 'vitest'
import { signInvocation } from '../../../src/protocol/client/key-tokens.ts'
import { signSessionDelegation } from '../../../src/protocol/client/wallet-tokens.ts'
import { parseDidKey } from '../../../src/protocol/did.ts'
import {
  type Askable,
  type Inquiry,
  type NetworkAnswers,
  NOTHING_ASKABLE,
  OpenInquiry,
} from '../../../src/protocol/inquiry.ts'
import { hashPersonalMessage } from '../../../src/protocol/signature.ts'
import { parseToken } from '../../../src/protocol/token.ts'
import { verifySignature } from '../../../src/workers/compute/verify-signature.ts'
import { codeOf, GUEST, NOW_S, OWNER, SESSION, SIGNING, SPACE } from '../../_util/credentials.ts'

const DID = 'did:web:web.example'
const EVERYTHING: Askable = { hosting: true, webKeys: true, contractChains: ['1'] }

const times = { nonce: 'urn:uuid:0', expiresAtS: NOW_S + 60 }
const grants = { [`${SPACE}/kv/a`]: ['tinycloud.kv/get'] }
const WEB = parseToken(
  signInvocation({ ...SESSION, did: DID, didUrl: `${DID}#key-1` }, { ...times, grants })
    .authorization,
)
const KEY = parseToken(signInvocation(SESSION, { ...times, grants }).authorization)

const session = { ...SIGNING, audience: SESSION.did, abilities: grants }
const OWN = parseToken(signSessionDelegation(OWNER, session).authorization)
/** Of an account whose key did not sign. */
const FOREIGN = parseToken(
  signSessionDelegation({ ...OWNER, signMessage: () => new Uint8Array(65).fill(1) }, session)
    .authorization,
)

function inquiryOf(
  token: typeof WEB,
  askable: Askable,
  answers?: NetworkAnswers,
): Inquiry | string {
  try {
    const code = codeOf(() =>
      verifySignature({ askable }, token, answers === undefined ? {} : { answers }),
    )
    return code ?? 'valid'
  } catch (error) {
    if (error instanceof OpenInquiry) return error.inquiry
    throw error
  }
}

describe('the signature of a did:web', () => {
  it('needs its key, which is asked for once', () => {
    const didUrl = `${DID}#key-1`
    expect(inquiryOf(WEB, EVERYTHING)).toEqual({ kind: 'webKey', didUrl })
    expect(inquiryOf(WEB, EVERYTHING, { webKey: parseDidKey(SESSION.did) })).toBe('valid')
    expect(inquiryOf(WEB, EVERYTHING, { webKey: parseDidKey(GUEST.did) })).toBe('SIGNATURE_INVALID')
    expect(inquiryOf(WEB, EVERYTHING, { webKey: null })).toBe('SIGNATURE_INVALID')
  })

  it('is refused unasked where nothing may be asked', () => {
    expect(inquiryOf(WEB, NOTHING_ASKABLE)).toBe('SIGNATURE_INVALID')
  })
})

describe('the signature of an account', () => {
  it('of its key raises no question', () => {
    for (const askable of [EVERYTHING, NOTHING_ASKABLE]) {
      expect(inquiryOf(OWN, askable)).toBe('valid')
      expect(inquiryOf(KEY, askable)).toBe('valid')
    }
  })

  it('of somebody else is asked about at the contract, once', () => {
    expect(inquiryOf(FOREIGN, EVERYTHING)).toEqual({
      kind: 'contractSignature',
      chainId: '1',
      address: OWNER.address,
      hash: hashPersonalMessage(FOREIGN.signingInput),
      signature: FOREIGN.signature,
    })
    expect(inquiryOf(FOREIGN, EVERYTHING, { isContractSignature: true })).toBe('valid')
    expect(inquiryOf(FOREIGN, EVERYTHING, { isContractSignature: false })).toBe('SIGNATURE_INVALID')
  })

  it('of somebody else is refused unasked on a chain that nobody named', () => {
    const other = { ...EVERYTHING, contractChains: ['10'] }
    expect(inquiryOf(FOREIGN, other)).toBe('SIGNATURE_INVALID')
    expect(inquiryOf(FOREIGN, NOTHING_ASKABLE)).toBe('SIGNATURE_INVALID')
  })
})

describe('answers about a token', () => {
  it('of a key mean nothing: no contract vouches for it, and no document', () => {
    const forged = { ...KEY, signature: new Uint8Array(64).fill(1) }
    const answers: NetworkAnswers = { isContractSignature: true, webKey: parseDidKey(GUEST.did) }
    expect(inquiryOf(forged, EVERYTHING, answers)).toBe('SIGNATURE_INVALID')
    expect(inquiryOf(FOREIGN, EVERYTHING, { webKey: parseDidKey(SESSION.did) })).not.toBe('valid')
  })
})

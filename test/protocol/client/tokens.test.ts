/** Goal: what our own client signs is what the protocol reads, and what the reference node accepted. */
import { describe, expect, it } from 'vitest'
import { formatRawCid } from '../../../src/protocol/cid.ts'
import {
  signInvocation,
  signKeyDelegation,
  signKeyRevocation,
} from '../../../src/protocol/client/key-tokens.ts'
import {
  signHostDelegation,
  signSessionDelegation,
  signWalletRevocation,
} from '../../../src/protocol/client/wallet-tokens.ts'
import { createWallet } from '../../../src/protocol/client/wallet.ts'
import { hostedSpaces } from '../../../src/protocol/chain.ts'
import { revocationTarget } from '../../../src/protocol/revocation.ts'
import { parseToken, verifyToken } from '../../../src/protocol/token.ts'
import { GUEST, NOW_S, OWNER, SESSION, SIGNING, SPACE } from '../../_util/credentials.ts'

/** Of fixed keys and fields: reference-behaviour §10 "seen on v1.16.0". */
const GOLDEN_CIDS = {
  host: 'bafkr4ic7kmtkiwhdnmdgxe766ilzwmesnpn6yu52xe5s32eghq56kwgkpu',
  session: 'bafkr4icgdf3scbtybkosey3l7ngys7vqyhtrvyvxawbbanl7r46h6e652u',
  guest: 'bafkr4icpr3u6kmgjlolrc64c3lxfdidynhpnyjzweoqnlvqtapi7i3a7mi',
  put: 'bafkr4idvfes3lxgap37p6356qyprvj2dpfbp7g77g6qfqhmv3dvetjtcje',
}

const GOLDEN_SPACE = OWNER.spaceId('golden')
const ENDS_AT_S = Date.parse('2099-01-01T00:00:00.000Z') / 1000
const GOLDEN = {
  domain: 'golden.example',
  issuedAtS: Date.parse('2026-01-01T00:00:00.000Z') / 1000,
}
const uuid = (last: number): string => `urn:uuid:00000000-0000-4000-8000-00000000000${last}`

describe('fixed tokens have the CIDs that the reference node gave them', () => {
  it('host delegation', () => {
    const { cid } = signHostDelegation(OWNER, {
      ...GOLDEN,
      nonce: 'goldenhost0000001',
      space: GOLDEN_SPACE,
      hostDid: SESSION.did,
    })
    expect(cid).toBe(GOLDEN_CIDS.host)
  })

  it('session', () => {
    const { cid } = signSessionDelegation(OWNER, {
      ...GOLDEN,
      nonce: 'goldensession0001',
      audience: SESSION.didUrl,
      expiresAtS: ENDS_AT_S,
      abilities: {
        [`${GOLDEN_SPACE}/kv`]: ['tinycloud.kv/put', 'tinycloud.kv/get'],
        [`${GOLDEN_SPACE}/capabilities`]: ['tinycloud.capabilities/read'],
      },
    })
    expect(cid).toBe(GOLDEN_CIDS.session)
  })

  it('delegation by the session key', () => {
    const { cid } = signKeyDelegation(SESSION, {
      audience: GUEST.did,
      nonce: uuid(1),
      expiresAtS: ENDS_AT_S,
      proofs: [GOLDEN_CIDS.session],
      grants: { [`${GOLDEN_SPACE}/kv/shared`]: ['tinycloud.kv/get'] },
    })
    expect(cid).toBe(GOLDEN_CIDS.guest)
  })

  it('invocation', () => {
    const { cid } = signInvocation(SESSION, {
      nonce: uuid(2),
      expiresAtS: ENDS_AT_S + 0.25,
      proofs: [GOLDEN_CIDS.session],
      grants: { [`${GOLDEN_SPACE}/kv/shared/a`]: ['tinycloud.kv/put'] },
    })
    expect(cid).toBe(GOLDEN_CIDS.put)
  })
})

describe('every token', () => {
  const key = { nonce: 'urn:uuid:1', expiresAtS: NOW_S + 60 }
  const cid = GOLDEN_CIDS.guest
  const tokens = {
    session: signSessionDelegation(OWNER, {
      ...SIGNING,
      audience: SESSION.didUrl,
      abilities: { [`${SPACE}/kv`]: ['tinycloud.kv/get'] },
      proofs: [cid],
      greeting: 'Welcome.',
      expiresAtS: NOW_S + 60.5,
      notBeforeS: NOW_S - 60,
    }),
    host: signHostDelegation(OWNER, { ...SIGNING, space: SPACE, hostDid: GUEST.did }),
    walletRevocation: signWalletRevocation(OWNER, { ...SIGNING, cid }),
    delegation: signKeyDelegation(SESSION, {
      ...key,
      audience: GUEST.did,
      grants: { [`${SPACE}/kv`]: { 'tinycloud.kv/get': [{ only: 'sundays' }] } },
      facts: [{ a: 1 }],
      notBeforeS: 5,
    }),
    invocation: signInvocation(SESSION, {
      ...key,
      grants: { [`${SPACE}/kv/a`]: ['tinycloud.kv/get'] },
    }),
    keyRevocation: signKeyRevocation(SESSION, { ...key, cid }),
  }

  it.each(Object.entries(tokens))(
    'verifies, and is cited by its CID: %s',
    (_, { authorization, cid: own }) => {
      const token = parseToken(authorization)
      expect(() => verifyToken(token)).not.toThrow()
      expect(formatRawCid(token.digest)).toBe(own)
    },
  )

  it('says what was asked for', () => {
    const session = parseToken(tokens.session.authorization)
    expect(session).toMatchObject({
      audience: SESSION.did,
      issuer: OWNER.did,
      expiresAtS: NOW_S + 60.5,
      notBeforeS: NOW_S - 60,
      issuedAtS: NOW_S,
    })
    expect(session.proofs.map((digest) => formatRawCid(digest))).toEqual([cid])
    expect(hostedSpaces(parseToken(tokens.host.authorization))).toEqual([SPACE])
    for (const { authorization } of [tokens.walletRevocation, tokens.keyRevocation])
      expect(formatRawCid(revocationTarget(parseToken(authorization)).digest)).toBe(cid)
    expect(parseToken(tokens.delegation.authorization)).toMatchObject({
      facts: [{ a: 1 }],
      notBeforeS: 5,
      capabilities: [{ caveats: { 0: { only: 'sundays' } } }],
    })
  })
})

describe('createWallet', () => {
  it('knows its address, its DID and its spaces', () => {
    expect(OWNER.did).toBe('did:pkh:eip155:1:0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A')
    expect(OWNER.spaceId('x')).toBe(`tinycloud:${OWNER.did.slice(4)}:x`)
    const other = createWallet(Buffer.alloc(32, 0x11), { chainId: '137' })
    expect(other.did).toBe(OWNER.did.replace(':1:', ':137:'))
  })

  it('refuses secrets that are no key', () => {
    for (const secret of [Buffer.alloc(32), Buffer.alloc(31, 1), Buffer.alloc(32, 0xff)])
      expect(() => createWallet(secret)).toThrow(Error)
  })
})

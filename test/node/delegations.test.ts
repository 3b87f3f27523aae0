/** Hosting, chains, repeated and re-spelled delegations, and their revocation, on a running node. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { formatCid, parseCid, RAW_CODEC, DAG_CBOR_CODEC } from '../../src/protocol/cid.ts'
import { type IssuedToken, issuedToken } from '../../src/protocol/client/issued-token.ts'
import { signKeyDelegation, signKeyRevocation } from '../../src/protocol/client/key-tokens.ts'
import { type SessionKey } from '../../src/protocol/client/session-key.ts'
import { signSessionDelegation } from '../../src/protocol/client/wallet-tokens.ts'
import { type Wallet } from '../../src/protocol/client/wallet.ts'
import { formatDidKey } from '../../src/protocol/did.ts'
import { secp256k1PublicKey, signSecp256k1 } from '../../src/protocol/crypto/secp256k1.ts'
import { sha256 } from '../../src/protocol/crypto/sha256.ts'
import { formatUcan } from '../../src/protocol/ucan.ts'
import { formatBase64url, parseBase64url } from '../../src/protocol/base64url.ts'
import { utf8 } from '../../src/protocol/bytes.ts'
import {
  type Account,
  assertOk,
  type Holder,
  issueHosting,
  issueSession,
  kv,
  newKey,
  newNonce,
  newWallet,
  nowS,
  openAccount,
  postDelegation,
  type Reply,
  revokeByKey,
  revokeByWallet,
} from '../_util/client.ts'
import { issueLastingShare } from '../_util/lasting-share.ts'
import { present } from '../_util/narrow.ts'
import { CACAO_SPELLINGS, negateScalar, withOtherScalar } from '../_util/respell.ts'
import { useRunningNode } from '../_util/running-node.ts'

const node = useRunningNode('delegations')

const post = (token: { readonly authorization: string }): Promise<Reply> =>
  postDelegation(node.connections, token)

const json = (reply: Reply): unknown => JSON.parse(reply.text())

const walletTime = (): {
  domain: string
  nonce: string
  issuedAtS: number
  expiresAtS: number
} => ({
  domain: 'tests.example',
  nonce: newNonce().replaceAll(/[^0-9a-z]/g, ''),
  issuedAtS: nowS(),
  expiresAtS: nowS() + 3600,
})

/** A wallet's delegation to anybody. */
const walletDelegation = (
  wallet: Wallet,
  audience: string,
  abilities: Record<string, readonly string[]>,
): IssuedToken => signSessionDelegation(wallet, { ...walletTime(), audience, abilities })

/** The holder whose rights come from a token under any of its CIDs. */
const holderOf = (space: string, key: SessionKey, token: IssuedToken): Holder => ({
  space,
  key,
  ...token,
})

async function openShare(from: Holder): Promise<Holder> {
  const share = issueLastingShare(from)
  assertOk(await post(share), 'share')
  return share
}

const readStatus = async (holder: Holder): Promise<string> => {
  const reply = await kv(node.connections, holder, 'list', '')
  return reply.status === 200 ? '200' : `${reply.status} ${reply.text()}`
}

describe('hosting', () => {
  it('activates a space whose host delegation is addressed to this node (HOST-1, HOST-2)', async () => {
    const wallet = newWallet()
    const space = wallet.spaceId('default')
    const hosting = await issueHosting(node.connections, wallet, space)
    const reply = await post(hosting)
    expect(reply.status).toBe(200)
    expect(reply.headers['content-type']).toBe('application/json')
    expect(json(reply)).toEqual({ cid: hosting.cid, activated: [space], skipped: [] })
  })

  it('leaves a space unhosted when the audience is another node, and stores the right (HOST-1)', async () => {
    const wallet = newWallet()
    const space = wallet.spaceId('default')
    const peer = newKey()
    const token = walletDelegation(wallet, peer.did, {
      [`${space}/space`]: ['tinycloud.space/host'],
    })
    expect(json(await post(token))).toEqual({ cid: token.cid, activated: [], skipped: [space] })
    const session = issueSession(wallet, space)
    expect(json(await post(session.token))).toMatchObject({ activated: [], skipped: [space] })
    const reply = await kv(
      node.connections,
      holderOf(space, session.key, session.token),
      'get',
      'a',
    )
    expect([reply.status, reply.text()]).toEqual([404, 'Space not found'])

    // The peer holds the right all the same: it may pass it on, here to the node that does host.
    const hostDid = await hostDidOf(space)
    const passedOn = signKeyDelegation(peer, {
      audience: hostDid,
      grants: { [`${space}/space`]: ['tinycloud.space/host'] },
      nonce: newNonce(),
      expiresAtS: Math.floor(nowS()) + 600,
      proofs: [token.cid],
    })
    expect(json(await post(passedOn))).toEqual({
      cid: passedOn.cid,
      activated: [space],
      skipped: [],
    })
  })

  it.each(['/space/', '/space/x', '/space?a=1', '/space#a', '/kv'])(
    'hosts nothing by a host right on %s (HOST-1)',
    async (suffix) => {
      const wallet = newWallet()
      const space = wallet.spaceId('default')
      const token = walletDelegation(wallet, await hostDidOf(space), {
        [space + suffix]: ['tinycloud.space/host'],
      })
      expect(json(await post(token))).toEqual({ cid: token.cid, activated: [], skipped: [space] })
    },
  )

  it('hosts nothing by the host right of somebody who does not own the space (HOST-1)', async () => {
    const space = newWallet().spaceId('default')
    const token = walletDelegation(newWallet(), await hostDidOf(space), {
      [`${space}/space`]: ['tinycloud.space/host'],
    })
    const reply = await post(token)
    expect([reply.status, reply.text()]).toEqual([401, 'Cannot find parent delegation'])
  })

  it('tells afresh which spaces are hosted when the same token comes again (HOST-2)', async () => {
    const wallet = newWallet()
    const [hosted, other] = [wallet.spaceId('a'), wallet.spaceId('b')]
    const session = walletDelegation(wallet, newKey().did, {
      [`${hosted}/kv`]: ['tinycloud.kv/get'],
      [`${other}/kv`]: ['tinycloud.kv/get'],
    })
    expect(json(await post(session))).toEqual({
      cid: session.cid,
      activated: [],
      skipped: [hosted, other].toSorted(),
    })
    assertOk(await post(await issueHosting(node.connections, wallet, hosted)), 'host')
    expect(json(await post(session))).toEqual({
      cid: session.cid,
      activated: [hosted],
      skipped: [other],
    })
  })

  it('hosts a hosted space again without touching what it holds (HOST-1)', async () => {
    const account = await openAccount(node.connections)
    assertOk(await kv(node.connections, account, 'put', 'a', { body: 'one' }), 'put')
    const again = await issueHosting(node.connections, account.wallet, account.space)
    expect(json(await post(again))).toMatchObject({ activated: [account.space] })
    expect((await kv(node.connections, account, 'get', 'a')).text()).toBe('one')
  })

  it('treats spellings of an owner’s address as one space (DID-1)', async () => {
    const account = await openAccount(node.connections)
    const lower = account.space.toLowerCase()
    assertOk(await kv(node.connections, account, 'put', 'a', { body: 'one' }), 'put')
    const reply = await kv(node.connections, { ...account, space: lower }, 'get', 'a')
    expect([reply.status, reply.text()]).toEqual([200, 'one'])
  })
})

async function hostDidOf(space: string): Promise<string> {
  const path = `/peer/generate/${encodeURIComponent(space)}`
  return assertOk(await node.connections.request(path, { method: 'GET' }), 'peer').text()
}

describe('the same delegation again', () => {
  it('is 200 with the same CID, many at once too (CHAIN-9)', async () => {
    const account = await openAccount(node.connections)
    const share = issueLastingShare(account)
    const replies = await Promise.all(Array.from({ length: 16 }, () => post(share)))
    for (const reply of replies) {
      expect(reply.status).toBe(200)
      expect(json(reply)).toEqual({ cid: share.cid, activated: [account.space], skipped: [] })
    }
    expect(await readStatus(share)).toBe('200')
  })

  it('is 200 after it has expired, and after its parent was revoked (CHAIN-9)', async () => {
    const account = await openAccount(node.connections)
    const brief = issueLastingShare(account, { lifetimeS: 3 })
    const child = issueLastingShare(account)
    assertOk(await post(brief), 'brief')
    assertOk(await post(child), 'child')
    assertOk(await revokeByWallet(node.connections, account.wallet, account.cid), 'revoke')
    await sleep(4100)
    expect((await post(brief)).status).toBe(200)
    expect((await post(child)).status).toBe(200)
    // Storing is not reviving.
    expect(await readStatus(brief)).toMatch(/^401 /)
    expect(await readStatus(child)).toMatch(/^401 delegation-ancestor-revoked: /)
  })

  describe.each(Object.entries(CACAO_SPELLINGS))('with %s', (_, respell) => {
    it('is 200 with a CID of its own, which can be cited like the first (CHAIN-9, TOKEN-6)', async () => {
      const { wallet, space } = await openAccount(node.connections)
      const { key, token } = issueSession(wallet, space)
      const other = respell(token.authorization)
      expect(other.cid).not.toBe(token.cid)
      expect(json(await post(token))).toMatchObject({ cid: token.cid })
      const answer = { cid: other.cid, activated: [space], skipped: [] }
      expect(json(await post(other))).toEqual(answer)
      expect(json(await post(other))).toEqual(answer)
      expect(await readStatus(holderOf(space, key, token))).toBe('200')
      expect(await readStatus(holderOf(space, key, other))).toBe('200')
      await openShare(holderOf(space, key, other))
    })

    it('can be the first to come (CHAIN-9)', async () => {
      const { wallet, space } = await openAccount(node.connections)
      const { key, token } = issueSession(wallet, space)
      const other = respell(token.authorization)
      assertOk(await post(other), 'other spelling')
      expect(await readStatus(holderOf(space, key, other))).toBe('200')
      // The usual spelling has not been seen, so nobody can cite it.
      expect(await readStatus(holderOf(space, key, token))).toBe(
        '401 Cannot find parent delegation',
      )
      assertOk(await post(token), 'usual spelling')
      expect(await readStatus(holderOf(space, key, token))).toBe('200')
    })
  })

  it('does not count as a second proof beside its other spelling (INV-3)', async () => {
    const { wallet, space } = await openAccount(node.connections)
    const { key, token } = issueSession(wallet, space)
    const other = withOtherScalar(token.authorization)
    assertOk(await post(token), 'token')
    assertOk(await post(other), 'alias')
    const reply = await revokeByWallet(node.connections, wallet, other.cid)
    assertOk(reply, 'revoke')
    expect(await readStatus(holderOf(space, key, token))).toMatch(/^401 delegation-revoked: /)
  })

  it('is recognised for a key whose algorithm has two signatures, ES256K (CHAIN-9, TOKEN-6)', async () => {
    const account = await openAccount(node.connections)
    const secret = Buffer.alloc(32, 0x5a)
    const did = formatDidKey('secp256k1', secp256k1PublicKey(secret, true))
    const toKey = walletDelegation(account.wallet, did, {
      [`${account.space}/kv`]: ['tinycloud.kv/list'],
    })
    assertOk(await post(toKey), 'delegation to the key')
    const guest = newKey()
    const token = signEs256k(secret, {
      iss: did,
      aud: guest.did,
      exp: Math.floor(nowS()) + 600,
      nnc: newNonce(),
      prf: [toKey.cid],
      att: { [`${account.space}/kv`]: { 'tinycloud.kv/list': [{}] } },
    })
    const [header = '', payload = '', signature = ''] = token.authorization.split('.')
    const other = Buffer.from(parseBase64url(signature, { padding: 'none' }))
    negateScalar(other)
    const text = [header, payload, formatBase64url(other, { padding: 'none' })].join('.')
    const respelled = issuedToken(text, utf8(text))
    assertOk(await post(token), 'token')
    expect(json(await post(respelled))).toMatchObject({ cid: respelled.cid })
    assertOk(await revokeByWallet(node.connections, account.wallet, token.cid), 'revoke')
    // What is named is the spelling that came first.
    expect(await readStatus(holderOf(account.space, guest, respelled))).toBe(
      `401 delegation-revoked: ${token.cid}`,
    )
  })
})

function signEs256k(secret: Uint8Array, payload: Record<string, unknown>): IssuedToken {
  const text = formatUcan({
    header: { alg: 'ES256K', typ: 'JWT', ucv: '0.10.0' },
    payload,
    sign: (input) => signSecp256k1(sha256(input), secret).compact,
  })
  return issuedToken(text, utf8(text))
}

describe('chains', () => {
  it('refuses a child of a revoked parent, and of a revoked ancestor (CHAIN-7)', async () => {
    const account = await openAccount(node.connections)
    const parent = await openShare(account)
    const child = await openShare(parent)
    assertOk(await revokeByWallet(node.connections, account.wallet, parent.cid), 'revoke')
    const ofParent = await post(issueLastingShare(parent))
    expect([ofParent.status, ofParent.text()]).toEqual([
      401,
      `delegation-parent-revoked: ${parent.cid}`,
    ])
    const ofChild = await post(issueLastingShare(child))
    expect([ofChild.status, ofChild.text()]).toEqual([
      401,
      `delegation-ancestor-revoked: ancestor=${parent.cid} parent=${child.cid}`,
    ])
    expect((await post(issueLastingShare(account))).status).toBe(200)
  })

  it('says nothing about revocation to who does not hold the parent (CHAIN-7)', async () => {
    const account = await openAccount(node.connections)
    const parent = await openShare(account)
    assertOk(await revokeByWallet(node.connections, account.wallet, parent.cid), 'revoke')
    const stranger = newKey()
    const reply = await post(issueLastingShare({ ...parent, key: stranger }))
    expect([reply.status, reply.text()]).toEqual([401, `Unauthorized Delegator: ${stranger.did}`])
  })

  it('stores a delegation that names no space of any node (ABIL-2)', async () => {
    const wallet = newWallet()
    const token = walletDelegation(wallet, newKey().did, {
      [`urn:tinycloud:encryption:${wallet.did}:default`]: ['tinycloud.encryption/decrypt'],
    })
    expect(json(await post(token))).toEqual({ cid: token.cid, activated: [], skipped: [] })
    expect(json(await post(token))).toEqual({ cid: token.cid, activated: [], skipped: [] })
  })

  it('stops at 64 delegations (CHAIN-5)', async () => {
    const account = await openAccount(node.connections)
    let last: Holder = account
    for (let length = 2; length <= 64; length++) last = await openShare(last)
    expect(await readStatus(last)).toBe('200')
    const reply = await post(issueLastingShare(last))
    expect([reply.status, reply.text()]).toEqual([401, 'delegation-chain-traversal-limit-exceeded'])
  })
})

describe('revocation', () => {
  it('answers exactly the target, twice (REVOKE-3, REVOKE-5)', async () => {
    const account = await openAccount(node.connections)
    const share = await openShare(account)
    const answer = { revoked: true, cid: share.cid }
    const byKey = (): Promise<Reply> => revokeByKey(node.connections, account, share.cid)
    const byWallet = (): Promise<Reply> =>
      revokeByWallet(node.connections, account.wallet, share.cid)
    for (const revoke of [byKey, byWallet, byKey, byWallet])
      expect(json(await revoke())).toEqual(answer)
    expect(await readStatus(share)).toBe(`401 delegation-revoked: ${share.cid}`)
    expect(await readStatus(account)).toBe('200')
  })

  it('repeats the target in base32, with the codec of the request (REVOKE-5)', async () => {
    const account = await openAccount(node.connections)
    const share = await openShare(account)
    const { digest } = parseCid(share.cid)
    const base58 = formatCid(RAW_CODEC, digest, 'base58btc')
    expect(json(await revokeByKey(node.connections, account, base58))).toEqual({
      revoked: true,
      cid: share.cid,
    })
    const dagCbor = formatCid(DAG_CBOR_CODEC, digest, 'base32')
    expect(json(await revokeByKey(node.connections, account, dagCbor))).toEqual({
      revoked: true,
      cid: dagCbor,
    })
  })

  it('refuses a target that is not stored, whoever asks (REVOKE-3)', async () => {
    const account = await openAccount(node.connections)
    const unknown = issueLastingShare(account)
    for (const reply of [
      await revokeByKey(node.connections, account, unknown.cid),
      await revokeByWallet(node.connections, newWallet(), unknown.cid),
    ])
      expect([reply.status, reply.text()]).toEqual([403, 'Cannot find parent delegation'])
    assertOk(await post(unknown), 'the delegation afterwards')
    expect(await readStatus(unknown)).toBe('200')
  })

  it('refuses somebody else’s target (REVOKE-2)', async () => {
    const account = await openAccount(node.connections)
    const stranger = await openAccount(node.connections)
    const share = await openShare(account)
    for (const reply of [
      await revokeByKey(node.connections, stranger, share.cid),
      await revokeByWallet(node.connections, stranger.wallet, share.cid),
      // The holder of a sibling is nobody here.
      await revokeByKey(node.connections, await openShare(account), share.cid),
    ])
      expect([reply.status, reply.text()]).toEqual([403, 'Unauthorized Revoker'])
    expect(await readStatus(share)).toBe('200')
  })

  it('is open to delegator, delegatee and owner, whatever they cite (REVOKE-2)', async () => {
    const account = await openAccount(node.connections)
    const revokers: ((share: Holder) => Promise<Reply>)[] = [
      (share) => revokeByKey(node.connections, account, share.cid),
      (share) => revokeByKey(node.connections, share, share.cid),
      (share) => revokeByWallet(node.connections, account.wallet, share.cid),
    ]
    for (const revoke of revokers) {
      const share = await openShare(account)
      const child = await openShare(share)
      expect((await revoke(share)).status).toBe(200)
      expect(await readStatus(share)).toBe(`401 delegation-revoked: ${share.cid}`)
      expect(await readStatus(child)).toBe(
        `401 delegation-ancestor-revoked: ancestor=${share.cid} invoked=${child.cid}`,
      )
    }
  })

  it('ends all that descends, also what came by another way down (REVOKE-4)', async () => {
    const account = await openAccount(node.connections)
    const shares = [await openShare(account)]
    for (let depth = 0; depth < 4; depth++) shares.push(await openShare(present(shares.at(-1))))
    assertOk(await revokeByWallet(node.connections, account.wallet, account.cid), 'revoke')
    for (const share of shares)
      expect(await readStatus(share)).toBe(
        `401 delegation-ancestor-revoked: ancestor=${account.cid} invoked=${share.cid}`,
      )
  })

  it('refuses a token that names two targets, or none (REVOKE-1)', async () => {
    const account = await openAccount(node.connections)
    const [first, second] = [await openShare(account), await openShare(account)]
    const signing = { nonce: newNonce(), expiresAtS: nowS() + 60, proofs: [account.cid] }
    const revoke = ['tinycloud.delegation/revoke']
    for (const grants of [
      { [`urn:cid:${first.cid}`]: revoke, [`urn:cid:${second.cid}`]: revoke },
      { [`${account.space}/kv/a`]: ['tinycloud.kv/get'] },
      {},
    ]) {
      const token = signKeyDelegation(account.key, {
        ...signing,
        audience: account.key.did,
        grants,
      })
      const reply = await node.connections.request('/revoke', token)
      expect([reply.status, reply.text()]).toEqual([
        403,
        'A revocation must name exactly one delegation',
      ])
    }
    for (const share of [account, first, second]) expect(await readStatus(share)).toBe('200')
  })

  it('is refused out of its time (REVOKE-3)', async () => {
    const account = await openAccount(node.connections)
    const share = await openShare(account)
    for (const window of [
      { expiresAtS: nowS() - 1 },
      { expiresAtS: nowS() + 60, notBeforeS: nowS() + 30 },
    ]) {
      const token = signKeyRevocation(account.key, { ...window, cid: share.cid, nonce: newNonce() })
      const reply = await node.connections.request('/revoke', token)
      expect([reply.status, reply.text()]).toEqual([403, 'Revocation expired or not yet valid'])
    }
    expect(await readStatus(share)).toBe('200')
  })

  describe.each(Object.entries(CACAO_SPELLINGS))('of a session spelled with %s', (_, respell) => {
    async function open(): Promise<{ account: Account; usual: Holder; other: Holder }> {
      const account = await openAccount(node.connections)
      const { key, token } = issueSession(account.wallet, account.space)
      assertOk(await post(token), 'session')
      return {
        account,
        usual: holderOf(account.space, key, token),
        other: holderOf(account.space, key, respell(token.authorization)),
      }
    }

    it('ends the spelling that is stored already, whichever is named (REVOKE-4)', async () => {
      for (const named of ['usual', 'other'] as const) {
        const { account, ...spellings } = await open()
        const { usual, other } = spellings
        assertOk(await post(other), 'other spelling')
        const target = spellings[named].cid
        expect(json(await revokeByWallet(node.connections, account.wallet, target))).toEqual({
          revoked: true,
          cid: target,
        })
        expect(await readStatus(usual)).toMatch(/^401 delegation-revoked: /)
        expect(await readStatus(other)).toMatch(/^401 delegation-revoked: /)
        expect((await post(issueLastingShare(other))).text()).toMatch(
          /^delegation-parent-revoked: /,
        )
      }
    })

    it('ends the spelling that comes after it (REVOKE-4)', async () => {
      const { account, usual, other } = await open()
      assertOk(await revokeByWallet(node.connections, account.wallet, usual.cid), 'revoke')
      expect(json(await post(other))).toMatchObject({ cid: other.cid })
      expect(await readStatus(other)).toMatch(/^401 delegation-revoked: /)
      expect((await post(issueLastingShare(other))).text()).toMatch(/^delegation-parent-revoked: /)
    })
  })
})

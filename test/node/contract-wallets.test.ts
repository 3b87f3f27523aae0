/** Accounts that are contracts, on a running node beside a chain of their own: CACAO-4. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createWallet, type Wallet } from '../../src/protocol/client/wallet.ts'
import { answerWith } from '../_util/asked-host.ts'
import {
  assertOk,
  issueHosting,
  issueSession,
  kv,
  newWallet,
  postDelegation,
  type Reply,
  revokeByWallet,
} from '../_util/client.ts'
import { runInProcess } from '../_util/command-run.ts'
import { type EthereumChain, openEthereumChain } from '../_util/ethereum-chain.ts'
import { membersOf } from '../_util/narrow.ts'
import { useNodeInProcess } from '../_util/node-in-process.ts'
import { verifyDirectory } from '../_util/verify-directory.ts'

let chain: EthereumChain
beforeAll(async () => {
  chain = await openEthereumChain('8453')
})
const node = useNodeInProcess('contract-wallets', {
  environment: () => ({ TINYCLOUD_ETHEREUM_RPC_URLS: `8453=${chain.host.url}/a-key` }),
})
const closed = useNodeInProcess('contract-wallets-off', { environment: () => ({}) })
afterAll(() => chain.close())
beforeEach(() => {
  chain.reaction = undefined
  chain.methods.length = 0
})

const outcome = (reply: Reply): [number, string] => [reply.status, reply.text()]
const INVALID: [number, string] = [401, 'Failed to verify signature']

const hostSpace = async (wallet: Wallet): Promise<Reply> => {
  const hosting = await issueHosting(node.connections, wallet, wallet.spaceId('default'))
  return postDelegation(node.connections, hosting)
}

describe('a contract wallet', () => {
  it.each([1, 3])('of %i owners has a space, opens a session and ends it', async (owners) => {
    const wallet = chain.createContractWallet(owners)
    const space = wallet.spaceId('default')
    const hosted = assertOk(await hostSpace(wallet), 'host')
    expect(JSON.parse(hosted.text())).toMatchObject({ activated: [space] })
    const { key, token } = issueSession(wallet, space)
    assertOk(await postDelegation(node.connections, token), 'session')
    const holder = { space, key, ...token }
    assertOk(await kv(node.connections, holder, 'put', 'a', { body: 'a value' }), 'put')
    // Only what a wallet signed needs the chain.
    expect(chain.methods.filter((method) => method === 'eth_call')).toHaveLength(2)
    assertOk(await revokeByWallet(node.connections, wallet, token.cid), 'revoke')
    expect((await kv(node.connections, holder, 'get', 'a')).status).toBe(401)
  })

  it('is not asked again about what is stored', async () => {
    const wallet = chain.createContractWallet(2)
    assertOk(await hostSpace(wallet), 'host')
    const { token } = issueSession(wallet, wallet.spaceId('default'))
    assertOk(await postDelegation(node.connections, token), 'session')
    chain.methods.length = 0
    chain.reaction = answerWith(500)
    assertOk(await postDelegation(node.connections, token), 'the same again')
    expect(chain.methods).toEqual([])
  })

  it('is refused when the contract does not know the signature', async () => {
    const wallet = chain.createContractWallet(2)
    wallet.owners = wallet.owners.toReversed()
    expect(outcome(await hostSpace(wallet))).toEqual(INVALID)
    wallet.owners = []
    expect(outcome(await hostSpace(wallet))).toEqual(INVALID)
    const revoked = await revokeByWallet(node.connections, wallet, await storedCid())
    expect([revoked.status, revoked.text()]).toEqual([403, 'Failed to verify signature'])
  })

  it('is refused with 503 while the chain cannot be asked, and the log tells no key', async () => {
    const wallet = chain.createContractWallet(1)
    chain.reaction = answerWith(500)
    const reply = await hostSpace(wallet)
    expect(outcome(reply)).toEqual([503, 'Ethereum is unavailable; retry the request'])
    expect(reply.headers['retry-after']).toBe('1')
    expect(node.lines.join('')).toContain('"host":"ethereum.rpc_urls 8453"')
    expect(node.lines.join('')).not.toContain('a-key')
    chain.reaction = undefined
    assertOk(await hostSpace(wallet), 'a new message')
  })

  it('leaves data that a verification finds sound, whatever chains are configured then', async () => {
    const before = await verifyDirectory(node.directory, { isServed: true })
    assertOk(await hostSpace(chain.createContractWallet(1)), 'host')
    assertOk(await hostSpace(chain.createContractWallet(2)), 'host')
    const after = await verifyDirectory(node.directory, { isServed: true })
    expect(after.damages).toEqual([])
    expect(after.unconfirmed).toEqual({
      ...before.unconfirmed,
      contractWallets: before.unconfirmed.contractWallets + 2,
    })

    const { exitCode, output } = await runInProcess(['verify', '--json'], {
      environment: { TINYCLOUD_STORAGE_DATADIR: join(node.directory, 'data') },
      workingDirectory: node.directory,
    })
    expect(exitCode).toBe(0)
    expect(membersOf(JSON.parse(output))).toMatchObject({
      problems: 0,
      unconfirmedSignatures: after.unconfirmed,
    })
  })

  it('of a chain that nobody named is refused unasked', async () => {
    const elsewhere = { ...chain.createContractWallet(2), chainId: '1' }
    const space = elsewhere.spaceId('default')
    const { token } = issueSession(elsewhere, space)
    expect((await postDelegation(node.connections, token)).status).toBe(401)
    expect(chain.methods).toEqual([])
  })

  it('is refused on a node that asks no chain: 65 bytes could be of a key, more are no token', async () => {
    const [one, two] = [chain.createContractWallet(1), chain.createContractWallet(2)]
    const first = issueSession(one, one.spaceId('default')).token
    expect(outcome(await postDelegation(closed.connections, first))).toEqual(INVALID)
    const second = issueSession(two, two.spaceId('default')).token
    expect((await postDelegation(closed.connections, second)).text()).toContain('Unauthorized')
    expect(chain.methods).toEqual([])
  })
})

describe('a wallet with a key', () => {
  it('is verified without the chain, also on it', async () => {
    chain.reaction = answerWith(500)
    assertOk(await hostSpace(newWallet()), 'host')
    assertOk(await hostSpace(createWallet(randomBytes(32), { chainId: '8453' })), 'host')
    expect(chain.methods).toEqual([])
  })
})

/** Of a delegation that anybody may name. */
async function storedCid(): Promise<string> {
  const wallet = newWallet()
  const { token } = issueSession(wallet, wallet.spaceId('default'))
  assertOk(await postDelegation(node.connections, token), 'session')
  return token.cid
}

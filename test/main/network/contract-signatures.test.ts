import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { TOO_MANY_FLIGHTS } from '../../../src/main/network/answer-cache.ts'
import { ContractSignatures } from '../../../src/main/network/contract-signatures.ts'
import { type ContractSignature } from '../../../src/protocol/inquiry.ts'
import { hashPersonalMessage } from '../../../src/protocol/signature.ts'
import { answerWith, type AskedHost } from '../../_util/asked-host.ts'
import {
  type ContractWallet,
  type EthereumChain,
  openEthereumChain,
} from '../../_util/ethereum-chain.ts'

const CLIENT = '192.0.2.1'

const clock = { ms: 0 }
const opened: ContractSignatures[] = []
let chain: EthereumChain
let wallet: ContractWallet
let faults: string[]

beforeEach(async () => {
  clock.ms = 0
  faults = []
  chain = await openEthereumChain('10')
  wallet = chain.createContractWallet(3)
})
afterEach(async () => {
  for (const signatures of opened.splice(0)) signatures.close()
  await chain.close()
})

function open(chains: Record<string, EthereumChain> = { 10: chain }, timeoutMs = 2000) {
  const rpcUrls = Object.entries(chains).map(([id, { host }]): [string, string] => [id, host.url])
  const signatures = new ContractSignatures({
    rpcUrls: new Map(rpcUrls),
    nowMs: () => clock.ms,
    onFault: (chainId, { message }) => faults.push(`${chainId}: ${message}`),
    timeoutMs,
  })
  opened.push(signatures)
  return signatures
}

const signed = (text: string, change: Partial<ContractSignature> = {}): ContractSignature => ({
  chainId: wallet.chainId,
  address: wallet.address,
  hash: hashPersonalMessage(Buffer.from(text)),
  signature: wallet.signMessage(text),
  ...change,
})

const rpc = (members: Record<string, unknown>): AskedHost['reaction'] =>
  answerWith(200, JSON.stringify({ jsonrpc: '2.0', id: 1, ...members }))

/** After the chain was found to be the right one. */
async function settle(signatures: ContractSignatures): Promise<void> {
  expect(await signatures.verify(signed('first'), CLIENT)).toBe('valid')
}

describe('a contract (CACAO-4)', () => {
  it('says what is its own', async () => {
    const signatures = open()
    expect(await signatures.verify(signed('a'), CLIENT)).toBe('valid')
    expect(await signatures.verify(signed('a', { hash: signed('b').hash }), CLIENT)).toBe('invalid')
    expect(await signatures.verify(signed('c', { signature: new Uint8Array(65) }), CLIENT)).toBe(
      'invalid',
    )
    const other = chain.createContractWallet(1)
    expect(await signatures.verify(signed('d', { address: other.address }), CLIENT)).toBe('invalid')
  })

  it('is asked in one call, at the chain that was found to be the right one once', async () => {
    const signatures = open()
    await Promise.all([
      signatures.verify(signed('a'), CLIENT),
      signatures.verify(signed('a'), CLIENT),
    ])
    await signatures.verify(signed('b'), CLIENT)
    expect(chain.methods).toEqual(['eth_chainId', 'eth_call', 'eth_call'])
  })

  it('is believed for 60 s; a no for 30 s', async () => {
    const signatures = open()
    const refused = signed('b', { signature: new Uint8Array(65) })
    expect(await signatures.verify(signed('a'), CLIENT)).toBe('valid')
    expect(await signatures.verify(refused, CLIENT)).toBe('invalid')
    wallet.owners = []
    chain.methods.length = 0
    clock.ms = 29_999
    await signatures.verify(refused, CLIENT)
    expect(chain.methods).toEqual([])
    clock.ms = 30_000
    await signatures.verify(refused, CLIENT)
    expect(chain.methods).toEqual(['eth_call'])
    clock.ms = 59_999
    expect(await signatures.verify(signed('a'), CLIENT)).toBe('valid')
    clock.ms = 60_000
    expect(await signatures.verify(signed('a'), CLIENT)).toBe('invalid')
  })

  it('that is none is no wallet: such an account signs with its key', async () => {
    const nobody = signed('a', { address: `0x${'12'.repeat(20)}` })
    expect(await open().verify(nobody, CLIENT)).toBe('invalid')
  })

  it.each([
    ['the selector, not filled up', { result: '0x1626ba7e' }],
    ['the selector in the last bytes', { result: `0x${'1626ba7e'.padStart(64, '0')}` }],
    ['the selector and more', { result: `0x1626ba7e${'0'.repeat(55)}1` }],
    ['true', { result: `0x${'1'.padStart(64, '0')}` }],
    ['nothing', { result: '0x' }],
    ['that it gave up', { error: { code: 3, message: 'execution reverted' } }],
    [
      'that it gave up, as older servers say it',
      { error: { code: -32_000, message: 'VM Exception: revert' } },
    ],
    ['that it gave up, as others say it', { error: { code: -32_015, message: 'x' } }],
  ])('does not say yes with %s', async (_, members) => {
    const signatures = open()
    await settle(signatures)
    chain.reaction = rpc(members)
    expect(await signatures.verify(signed('a'), CLIENT)).toBe('invalid')
    expect(faults).toEqual([])
  })

  it('says yes with the selector, filled up, and whatever follows that word', async () => {
    const signatures = open()
    await settle(signatures)
    chain.reaction = rpc({ result: `0x1626BA7E${'0'.repeat(56)}${'f'.repeat(64)}` })
    expect(await signatures.verify(signed('a'), CLIENT)).toBe('valid')
  })
})

describe('a chain that cannot be asked (CACAO-4)', () => {
  it.each([
    ['500', answerWith(500)],
    ['a redirect', answerWith(307, '', { location: '/elsewhere' })],
    ['no JSON', answerWith(200, 'x')],
    ['no JSON-RPC', answerWith(200, '[]')],
    ['no result', rpc({})],
    ['a result that is no bytes', rpc({ result: '0x1' })],
    ['a limit of its own', rpc({ error: { code: -32_005, message: 'limit exceeded' } })],
    ['an error without code', rpc({ error: {} })],
    ['too much', rpc({ result: `0x${'00'.repeat(40_000)}` })],
    ['silence', () => undefined],
    ['a closed connection', (_request, response) => response.destroy()],
  ] satisfies [string, AskedHost['reaction']][])('%s: nobody can tell', async (_, reaction) => {
    const signatures = open({ 10: chain }, 200)
    await settle(signatures)
    chain.reaction = reaction
    expect(await signatures.verify(signed('a'), CLIENT)).toBe('unreachable')
    expect(faults).toHaveLength(1)
  })

  it('is asked again after 2 s', async () => {
    const signatures = open()
    chain.reaction = answerWith(500)
    expect(await signatures.verify(signed('a'), CLIENT)).toBe('unreachable')
    chain.reaction = undefined
    clock.ms = 1999
    expect(await signatures.verify(signed('a'), CLIENT)).toBe('unreachable')
    clock.ms = 2000
    expect(await signatures.verify(signed('a'), CLIENT)).toBe('valid')
  })

  it('is one whose server belongs to another chain: its contracts are others', async () => {
    const other = await openEthereumChain('10', '1')
    expect(await open({ 10: other }).verify(signed('a'), CLIENT)).toBe('unreachable')
    expect(other.methods).toEqual(['eth_chainId'])
    expect(faults).toEqual(['10: the server is not one of chain 10'])
    await other.close()
  })

  it('is not one that nobody named', async () => {
    const signatures = open()
    expect(signatures.chains).toEqual(['10'])
    expect(await signatures.verify(signed('a', { chainId: '1' }), CLIENT)).toBe('invalid')
    expect(chain.methods).toEqual([])
  })

  it('is asked 16 questions at a time, 8 of them for one client', async () => {
    const signatures = open({ 10: chain }, 300)
    chain.reaction = () => undefined
    const ask = (client: string, count: number) =>
      Array.from({ length: count }, (_, no) => signatures.verify(signed(`${client} ${no}`), client))
    const asked = [...ask('192.0.2.1', 9), ...ask('192.0.2.2', 8), ...ask('192.0.2.3', 1)]
    const verdicts = await Promise.all(asked)
    expect(verdicts.filter((verdict) => verdict === 'unreachable')).toHaveLength(16)
    expect([verdicts[8], verdicts[17]]).toEqual([TOO_MANY_FLIGHTS, TOO_MANY_FLIGHTS])
  })
})

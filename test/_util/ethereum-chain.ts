/** A chain of Ethereum with contract wallets on it, behind a JSON-RPC server, and the wallets as apps use them. */
import { randomBytes } from 'node:crypto'
import { concatBytes } from '../../src/protocol/bytes.ts'
import { createWallet, type Wallet } from '../../src/protocol/client/wallet.ts'
import { recoverSecp256k1 } from '../../src/protocol/crypto/secp256k1.ts'
import { formatDidPkh } from '../../src/protocol/did.ts'
import { formatEip55 } from '../../src/protocol/eip55.ts'
import { formatSpaceId } from '../../src/protocol/resource.ts'
import { addressOf } from '../../src/protocol/signature.ts'
import { answerWith, type AskedHost, openAskedHost, type Reaction } from './asked-host.ts'

const SELECTOR = '1626ba7e'
const MAGIC = `0x${SELECTOR.padEnd(64, '0')}`
const SIGNATURE_BYTES = 65

/** A multi-signature: all its owners must sign, one after the other. */
export interface ContractWallet extends Wallet {
  /** Lower case. */
  owners: readonly string[]
}

export interface EthereumChain {
  readonly host: AskedHost
  /** Methods of the questions, in their order. */
  readonly methods: string[]
  /** Answers in place of the contracts; undefined: they answer. */
  reaction: Reaction | undefined
  createContractWallet(ownerCount: number): ContractWallet
  close(): Promise<void>
}

interface Question {
  readonly id: number
  readonly method: string
  readonly params: readonly [{ readonly to: string; readonly data: string }]
}

/** `said`: the chain that it claims to be. */
export async function openEthereumChain(chainId: string, said = chainId): Promise<EthereumChain> {
  const contracts = new Map<string, ContractWallet>()
  const methods: string[] = []
  const host = await openAskedHost((request, response, body) => {
    const { id, method, params }: Question = JSON.parse(body.toString())
    methods.push(method)
    if (chain.reaction) return chain.reaction(request, response, body)
    const result =
      method === 'eth_chainId'
        ? `0x${BigInt(said).toString(16)}`
        : runContract(contracts.get(params[0].to.toLowerCase()), params[0].data)
    answerWith(200, JSON.stringify({ jsonrpc: '2.0', id, result }))(request, response, body)
  })
  const chain: EthereumChain = {
    host,
    methods,
    reaction: undefined,
    createContractWallet: (ownerCount) => {
      const keys = Array.from({ length: ownerCount }, () => createWallet(randomBytes(32)))
      const address = formatEip55(`0x${randomBytes(20).toString('hex')}`)
      const did = formatDidPkh(chainId, address)
      const wallet: ContractWallet = {
        address,
        chainId,
        did,
        owners: keys.map((key) => key.address.toLowerCase()),
        spaceId: (name) => formatSpaceId(did, name),
        signMessage: (text) => concatBytes(keys.map((key) => key.signMessage(text))),
      }
      contracts.set(address.toLowerCase(), wallet)
      return wallet
    },
    close: () => host.close(),
  }
  return chain
}

/** `isValidSignature(bytes32 hash, bytes signature)`. An account without contract returns nothing. */
function runContract(contract: ContractWallet | undefined, data: string): string {
  if (!contract) return '0x'
  if (!data.startsWith(`0x${SELECTOR}`)) throw new Error('another function')
  const bytes = Buffer.from(data.slice(10), 'hex')
  const hash = bytes.subarray(0, 32)
  const offset = bytes.readUInt32BE(60)
  const length = bytes.readUInt32BE(offset + 28)
  const signature = bytes.subarray(offset + 32, offset + 32 + length)
  if (bytes.length !== offset + 32 + Math.ceil(length / 32) * 32) throw new Error('not padded')
  const signers = Array.from({ length: length / SIGNATURE_BYTES }, (_, no) =>
    signerOf(hash, signature.subarray(no * SIGNATURE_BYTES, (no + 1) * SIGNATURE_BYTES)),
  )
  const isSigned = signers.length > 0 && signers.join(' ') === contract.owners.join(' ')
  return isSigned ? MAGIC : `0x${'f'.repeat(8).padEnd(64, '0')}`
}

function signerOf(hash: Uint8Array, signature: Uint8Array): string | undefined {
  const key = recoverSecp256k1(hash, signature.subarray(0, 64), signature[64] === 28 ? 1 : 0)
  return key && addressOf(key)
}

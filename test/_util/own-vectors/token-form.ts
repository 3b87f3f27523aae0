/** What is expected of a token, worked out beside the node's own code: with other libraries, from what was put in. */
import { blake3 } from '@noble/hashes/blake3.js'
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import { type Refused } from './vector-suite.ts'

export interface TokenExpect {
  readonly cid: string
  /** BLAKE3 of kind ‖ issuer ‖ 0x00 ‖ signing input, in hexadecimal (TOKEN-6). */
  readonly statementId: string
  readonly issuer: string
  readonly audience: string
  readonly notBeforeS: number | null
  readonly expiresAtS: number | null
  /** Sorted by resource, then by ability. */
  readonly capabilities: readonly (readonly [
    resource: string,
    ability: string,
    caveats: Readonly<Record<string, unknown>>,
  ])[]
  /** CIDs in base32, raw. */
  readonly proofs: readonly string[]
  readonly signature: 'valid' | 'SIGNATURE_INVALID'
}

export type TokenOutcome = TokenExpect | Refused

const RAW = 0x55
const BLAKE3 = 0x1e
const KIND = { ucan: 1, cacao: 2 } as const

export const cidOf = (bytes: Uint8Array): string =>
  CID.createV1(RAW, create(BLAKE3, blake3(bytes))).toString()

export const statementIdOf = (
  encoding: keyof typeof KIND,
  issuer: string,
  signingInput: Uint8Array,
): string => {
  const statement = Buffer.concat([
    Buffer.of(KIND[encoding]),
    Buffer.from(issuer),
    Buffer.of(0),
    signingInput,
  ])
  return Buffer.from(blake3(statement)).toString('hex')
}

/**
 * Stored delegations: verified once, on arrival, and immutable since. A row says everything that an invocation needs:
 * its rights, the window in which it and all its ancestors are in force, and the ancestors to probe for revocation.
 */
import { type ChainLink } from '../../../protocol/authority.ts'
import { DIGEST_BYTES } from '../../../protocol/cid.ts'
import { type RowChecksum } from '../row-checksum.ts'

const LINK_BYTES = 2 * DIGEST_BYTES

export interface DelegationRow {
  readonly delegationNo: number
  readonly statementId: Uint8Array
  readonly digest: Uint8Array
  readonly encoding: 'ucan' | 'cacao'
  readonly delegator: string
  readonly delegatee: string
  /** Unix seconds, fractions kept. */
  readonly notBeforeS: number | null
  readonly expiresAtS: number | null
  readonly issuedAtS: number | null
  readonly effectiveNotBeforeS: number | null
  readonly effectiveExpiresAtS: number | null
  readonly isTerminal: boolean
  /** protocol/chain.ts `formatCapabilities`. */
  readonly capabilities: Uint8Array
  /** 32 bytes per cited and stored parent. */
  readonly parents: Uint8Array
  /** 64 bytes per link, itself first: statement id, digest. */
  readonly closure: Uint8Array
  /** JSON array of the accounts in whose name it is given. */
  readonly accounts: string
  readonly statementNo: number
}

export function checksumOfDelegation(checksum: RowChecksum, row: DelegationRow): number {
  return checksum
    .start()
    .number(row.delegationNo)
    .bytes(row.statementId)
    .bytes(row.digest)
    .text(row.encoding)
    .text(row.delegator)
    .text(row.delegatee)
    .optional(row.notBeforeS)
    .optional(row.expiresAtS)
    .optional(row.issuedAtS)
    .optional(row.effectiveNotBeforeS)
    .optional(row.effectiveExpiresAtS)
    .number(row.isTerminal ? 1 : 0)
    .bytes(row.capabilities)
    .bytes(row.parents)
    .bytes(row.closure)
    .text(row.accounts)
    .number(row.statementNo)
    .value()
}

export function formatClosure(links: readonly ChainLink[]): Uint8Array {
  const bytes = new Uint8Array(links.length * LINK_BYTES)
  for (const [index, link] of links.entries()) {
    bytes.set(link.statementId, index * LINK_BYTES)
    bytes.set(link.digest, index * LINK_BYTES + DIGEST_BYTES)
  }
  return bytes
}

/** Views into `bytes`. */
export function readClosure(bytes: Uint8Array): ChainLink[] {
  const links: ChainLink[] = []
  for (let offset = 0; offset < bytes.length; offset += LINK_BYTES) {
    links.push({
      statementId: bytes.subarray(offset, offset + DIGEST_BYTES),
      digest: bytes.subarray(offset + DIGEST_BYTES, offset + LINK_BYTES),
    })
  }
  return links
}

/** 32 bytes each, as views into `bytes`. */
export function readDigests(bytes: Uint8Array): Uint8Array[] {
  const digests: Uint8Array[] = []
  for (let offset = 0; offset < bytes.length; offset += DIGEST_BYTES)
    digests.push(bytes.subarray(offset, offset + DIGEST_BYTES))
  return digests
}

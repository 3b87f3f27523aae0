/** Builds commands as compute would: well-formed sections and digests, without signatures, which storage never sees. */
import { formatCapabilities } from '../../src/protocol/capabilities.ts'
import { formatCarSection } from '../../src/protocol/car.ts'
import { DAG_CBOR_CODEC, RAW_CODEC } from '../../src/protocol/cid.ts'
import { blake3 } from '../../src/protocol/crypto/blake3.ts'
import { formatOperation } from '../../src/protocol/history.ts'
import { PackedWriter } from '../../src/protocol/packed.ts'
import { parseResource } from '../../src/protocol/resource.ts'
import { writeCommand } from '../../src/workers/storage/command-codec.ts'
import {
  type AliasCommand,
  type DelegateCommand,
  type MutateCommand,
  type Operation,
  type ReliedDelegation,
  type RevokeCommand,
  type SignCommand,
  type StorageCommand,
} from '../../src/workers/storage/request.ts'

export const OWNER_ADDRESS = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
export const spaceNamed = (name: string): string =>
  `tinycloud:pkh:eip155:1:${OWNER_ADDRESS}:${name}`
export const SPACE: string = spaceNamed('default')

let requests = 0
let tokens = 0

/** A token nobody signed: 400 bytes that occur once. */
function nextToken(text?: string): Pick<MutateCommand, 'statementId' | 'digest' | 'tokenSection'> {
  const bytes = Buffer.from((text ?? `token ${++tokens}`).padEnd(400, '.'))
  const digest = blake3(bytes)
  return {
    statementId: blake3(Buffer.concat([Buffer.from('statement '), bytes])),
    digest,
    tokenSection: formatCarSection(RAW_CODEC, digest, bytes),
  }
}

export function putOf(
  key: string,
  value: string | Uint8Array,
  headers: [string, string][] = [],
): Operation {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  const digest = blake3(bytes)
  const block = formatOperation({ key, value: digest, metadata: Object.fromEntries(headers) })
  const operationDigest = blake3(block)
  return {
    kind: 'put',
    spaceIndex: 0,
    key: Buffer.from(key),
    operationDigest,
    operationSection: formatCarSection(DAG_CBOR_CODEC, operationDigest, block),
    digest,
    valueBytes: bytes.length,
    headers: JSON.stringify(headers),
    value: { kind: 'packed', section: formatCarSection(RAW_CODEC, digest, bytes) },
  }
}

export function deleteOf(key: string): Operation {
  const block = formatOperation({ key, version: null })
  const operationDigest = blake3(block)
  return {
    kind: 'delete',
    spaceIndex: 0,
    key: Buffer.from(key),
    operationDigest,
    operationSection: formatCarSection(DAG_CBOR_CODEC, operationDigest, block),
  }
}

export function mutation(
  operations: readonly Operation[],
  given: Partial<MutateCommand> & { readonly token?: string } = {},
): MutateCommand {
  const { token, ...rest } = given
  return {
    kind: 'mutate',
    requestId: ++requests,
    ...nextToken(token),
    expiresAtS: 2_000_000_000,
    relies: [],
    action: 'resource / action',
    spaces: [SPACE],
    precondition: { kind: 'none' },
    report: 'etag',
    operations,
    ...rest,
  }
}

export const put = (
  key: string,
  value: string | Uint8Array,
  given: Partial<MutateCommand> = {},
): MutateCommand => mutation([putOf(key, value)], given)

export const del = (key: string, given: Partial<MutateCommand> = {}): MutateCommand =>
  mutation([deleteOf(key)], given)

export function delegation(
  given: Partial<DelegateCommand> & { readonly token?: string } = {},
): DelegateCommand {
  const { token, ...rest } = given
  return {
    kind: 'delegate',
    requestId: ++requests,
    ...nextToken(token),
    encoding: 'ucan',
    delegator: 'did:key:zDelegator',
    delegatee: 'did:key:zDelegatee',
    notBeforeS: undefined,
    expiresAtS: 2_000_000_000,
    issuedAtS: 1_700_000_000.5,
    effectiveNotBeforeS: undefined,
    effectiveExpiresAtS: 2_000_000_000,
    isTerminal: false,
    capabilities: formatCapabilities([
      { resource: parseResource(`${SPACE}/kv`), ability: 'tinycloud.kv/put', caveats: {} },
    ]),
    parents: [],
    relies: [],
    accounts: [],
    spaces: [SPACE],
    hosts: [],
    ...rest,
  }
}

export const hosting = (space: string = SPACE): DelegateCommand =>
  delegation({ spaces: [space], hosts: [space] })

/** The same command in another request. */
export const again = <T extends StorageCommand>(command: T): T => ({
  ...command,
  requestId: ++requests,
})

/** What a command relies on that uses `parent`, whose own parents are `above`. */
export const relianceOn = (
  parent: DelegateCommand,
  above: readonly ReliedDelegation[] = [],
): ReliedDelegation => ({
  closure: [
    { statementId: parent.statementId, digest: parent.digest },
    ...above.flatMap(({ closure }) => closure),
  ],
  effectiveNotBeforeS: parent.effectiveNotBeforeS,
  effectiveExpiresAtS: parent.effectiveExpiresAtS,
})

export function alias(of: DelegateCommand): AliasCommand {
  const { digest } = nextToken()
  return {
    kind: 'alias',
    requestId: ++requests,
    statementId: of.statementId,
    digest,
    spaces: of.spaces,
  }
}

export function revocation(of: DelegateCommand, given: Partial<RevokeCommand> = {}): RevokeCommand {
  return {
    kind: 'revoke',
    requestId: ++requests,
    ...nextToken(),
    encoding: 'ucan',
    revoker: of.delegator,
    target: { statementId: of.statementId, digest: of.digest },
    targetCid: 'bafkr4itarget',
    relies: [],
    spaces: of.spaces,
    ...given,
  }
}

/** A wish for a URL of the value; every ticket is another one. */
export function signing(
  key: string,
  value: string | Uint8Array,
  given: Partial<SignCommand> = {},
): SignCommand {
  const { statementId, digest } = nextToken()
  return {
    kind: 'sign',
    requestId: ++requests,
    statementId,
    digest,
    ticketId: blake3(Buffer.concat([Buffer.from('ticket '), digest])),
    ticket: `ticket-${requests}`,
    signer: 'did:key:zSigner',
    relies: [],
    action: 'resource / action',
    spaces: [SPACE],
    spaceIndex: 0,
    key: Buffer.from(key),
    valueDigest: blake3(Buffer.from(value)),
    expiresAtS: 1_800_000_300,
    ...given,
  }
}

export function packCommands(commands: readonly StorageCommand[]): ArrayBuffer {
  const writer = new PackedWriter(64 * 1024)
  for (const command of commands) writeCommand(writer, command)
  return writer.finish()
}

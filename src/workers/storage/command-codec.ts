/**
 * The packed form of storage commands. Compute writes them, main hands the buffer on unread, the actor reads them.
 * Both sides run the same build, so the form has no version and no self-description (protocol/packed.ts).
 */
import { type ChainLink } from '../../protocol/authority.ts'
import { PackedReader, type PackedWriter } from '../../protocol/packed.ts'
import {
  type AliasCommand,
  type DelegateCommand,
  type MutateCommand,
  type Operation,
  type Precondition,
  type ReliedDelegation,
  type RevokeCommand,
  type SignCommand,
  type StorageCommand,
} from './request.ts'

const DIGEST_BYTES = 32
const KINDS = ['mutate', 'delegate', 'alias', 'revoke', 'sign'] as const
const ENCODINGS = ['ucan', 'cacao'] as const
const REPORTS = ['etag', 'keys'] as const
const PRECONDITIONS = ['none', 'absent', 'matches'] as const

/** Appends one command. Byte fields are copied. */
export function writeCommand(writer: PackedWriter, command: StorageCommand): void {
  writer.u8(KINDS.indexOf(command.kind)).u32(command.requestId)
  writer.raw(command.statementId).raw(command.digest)
  switch (command.kind) {
    case 'mutate':
      writeMutate(writer, command)
      break
    case 'delegate':
      writeDelegate(writer, command)
      break
    case 'alias':
      writeTexts(writer, command.spaces)
      break
    case 'revoke':
      writeRevoke(writer, command)
      break
    case 'sign':
      writeSign(writer, command)
      break
  }
}

/** Borrowed: byte fields are views into the batch. */
export function readCommand(reader: PackedReader): StorageCommand {
  const kind = nameAt(KINDS, reader.u8())
  const base = {
    requestId: reader.u32(),
    statementId: reader.raw(DIGEST_BYTES),
    digest: reader.raw(DIGEST_BYTES),
  }
  return READERS[kind](reader, base)
}

/** Every command of a batch, in the order written. Borrowed: byte fields are views into the batch. */
export function readCommands(batch: ArrayBuffer | Uint8Array): StorageCommand[] {
  const reader = new PackedReader(batch)
  const commands: StorageCommand[] = []
  while (!reader.isDone) commands.push(readCommand(reader))
  return commands
}

type CommandBase = Pick<StorageCommand, 'requestId' | 'statementId' | 'digest'>

const READERS = {
  mutate: readMutate,
  delegate: readDelegate,
  alias: readAlias,
  revoke: readRevoke,
  sign: readSign,
} as const satisfies Record<
  StorageCommand['kind'],
  (reader: PackedReader, base: CommandBase) => StorageCommand
>

/** The name of a number that a writer of the same build wrote. */
function nameAt<T extends string>(names: readonly T[], index: number): T {
  const name = names[index]
  if (name === undefined) throw new RangeError(`packed command: no name has the number ${index}`)
  return name
}

function writeMutate(writer: PackedWriter, command: MutateCommand): void {
  writer.f64(command.expiresAtS)
  writeRelies(writer, command.relies)
  writer.text(command.action)
  writeTexts(writer, command.spaces)
  writePrecondition(writer, command.precondition)
  writer.u8(REPORTS.indexOf(command.report))
  writer.u32(command.operations.length)
  for (const operation of command.operations) writeOperation(writer, operation)
  writer.bytes(command.tokenSection)
}

function readMutate(reader: PackedReader, base: CommandBase): MutateCommand {
  return {
    kind: 'mutate',
    ...base,
    expiresAtS: reader.f64(),
    relies: readRelies(reader),
    action: reader.text(),
    spaces: readTexts(reader),
    precondition: readPrecondition(reader),
    report: nameAt(REPORTS, reader.u8()),
    operations: readList(reader, readOperation),
    tokenSection: reader.bytes(),
  }
}

function writePrecondition(writer: PackedWriter, precondition: Precondition): void {
  writer.u8(PRECONDITIONS.indexOf(precondition.kind))
  if (precondition.kind === 'matches') writer.raw(precondition.digest)
}

function readPrecondition(reader: PackedReader): Precondition {
  const kind = nameAt(PRECONDITIONS, reader.u8())
  return kind === 'matches' ? { kind, digest: reader.raw(DIGEST_BYTES) } : { kind }
}

function writeOperation(writer: PackedWriter, operation: Operation): void {
  writer.u16(operation.spaceIndex).bytes(operation.key)
  writer.raw(operation.operationDigest).bytes(operation.operationSection)
  if (operation.kind === 'delete') {
    writer.u8(0)
    return
  }
  const { value } = operation
  writer.u8(value.kind === 'packed' ? 1 : 2)
  writer.raw(operation.digest).f64(operation.valueBytes).text(operation.headers)
  if (value.kind === 'packed') writer.bytes(value.section)
  else writer.f64(value.stagingNo).bytes(value.segments)
}

function readOperation(reader: PackedReader): Operation {
  const base = {
    spaceIndex: reader.u16(),
    key: reader.bytes(),
    operationDigest: reader.raw(DIGEST_BYTES),
    operationSection: reader.bytes(),
  }
  const form = reader.u8()
  if (form === 0) return { ...base, kind: 'delete' }
  return {
    ...base,
    kind: 'put',
    digest: reader.raw(DIGEST_BYTES),
    valueBytes: reader.f64(),
    headers: reader.text(),
    value:
      form === 1
        ? { kind: 'packed', section: reader.bytes() }
        : { kind: 'staged', stagingNo: reader.f64(), segments: reader.bytes() },
  }
}

function writeDelegate(writer: PackedWriter, command: DelegateCommand): void {
  writer.u8(ENCODINGS.indexOf(command.encoding))
  writer.text(command.delegator).text(command.delegatee)
  writeTime(writer, command.notBeforeS)
  writeTime(writer, command.expiresAtS)
  writeTime(writer, command.issuedAtS)
  writeTime(writer, command.effectiveNotBeforeS)
  writeTime(writer, command.effectiveExpiresAtS)
  writer.u8(command.isTerminal ? 1 : 0).bytes(command.capabilities)
  writer.u32(command.parents.length)
  for (const parent of command.parents) writer.raw(parent)
  writeRelies(writer, command.relies)
  writeTexts(writer, command.accounts)
  writeTexts(writer, command.spaces)
  writeTexts(writer, command.hosts)
  writer.bytes(command.tokenSection)
}

function readDelegate(reader: PackedReader, base: CommandBase): DelegateCommand {
  return {
    kind: 'delegate',
    ...base,
    encoding: nameAt(ENCODINGS, reader.u8()),
    delegator: reader.text(),
    delegatee: reader.text(),
    notBeforeS: readTime(reader),
    expiresAtS: readTime(reader),
    issuedAtS: readTime(reader),
    effectiveNotBeforeS: readTime(reader),
    effectiveExpiresAtS: readTime(reader),
    isTerminal: reader.u8() === 1,
    capabilities: reader.bytes(),
    parents: readList(reader, (from) => from.raw(DIGEST_BYTES)),
    relies: readRelies(reader),
    accounts: readTexts(reader),
    spaces: readTexts(reader),
    hosts: readTexts(reader),
    tokenSection: reader.bytes(),
  }
}

function readAlias(reader: PackedReader, base: CommandBase): AliasCommand {
  return { kind: 'alias', ...base, spaces: readTexts(reader) }
}

function writeRevoke(writer: PackedWriter, command: RevokeCommand): void {
  writer.u8(ENCODINGS.indexOf(command.encoding)).text(command.revoker)
  writeLink(writer, command.target)
  writer.text(command.targetCid)
  writeRelies(writer, command.relies)
  writeTexts(writer, command.spaces)
  writer.bytes(command.tokenSection)
}

function readRevoke(reader: PackedReader, base: CommandBase): RevokeCommand {
  return {
    kind: 'revoke',
    ...base,
    encoding: nameAt(ENCODINGS, reader.u8()),
    revoker: reader.text(),
    target: readLink(reader),
    targetCid: reader.text(),
    relies: readRelies(reader),
    spaces: readTexts(reader),
    tokenSection: reader.bytes(),
  }
}

function writeSign(writer: PackedWriter, command: SignCommand): void {
  writer.raw(command.ticketId).text(command.ticket).text(command.signer)
  writeRelies(writer, command.relies)
  writer.text(command.action)
  writeTexts(writer, command.spaces)
  writer.u16(command.spaceIndex).bytes(command.key)
  writer.raw(command.valueDigest).f64(command.expiresAtS)
}

function readSign(reader: PackedReader, base: CommandBase): SignCommand {
  return {
    kind: 'sign',
    ...base,
    ticketId: reader.raw(DIGEST_BYTES),
    ticket: reader.text(),
    signer: reader.text(),
    relies: readRelies(reader),
    action: reader.text(),
    spaces: readTexts(reader),
    spaceIndex: reader.u16(),
    key: reader.bytes(),
    valueDigest: reader.raw(DIGEST_BYTES),
    expiresAtS: reader.f64(),
  }
}

function writeRelies(writer: PackedWriter, relies: readonly ReliedDelegation[]): void {
  writer.u32(relies.length)
  for (const relied of relies) {
    writeTime(writer, relied.effectiveNotBeforeS)
    writeTime(writer, relied.effectiveExpiresAtS)
    writer.u32(relied.closure.length)
    for (const link of relied.closure) writeLink(writer, link)
  }
}

function readRelies(reader: PackedReader): ReliedDelegation[] {
  return readList(reader, (from) => ({
    effectiveNotBeforeS: readTime(from),
    effectiveExpiresAtS: readTime(from),
    closure: readList(from, readLink),
  }))
}

function writeLink(writer: PackedWriter, link: ChainLink): void {
  writer.raw(link.statementId).raw(link.digest)
}

function readLink(reader: PackedReader): ChainLink {
  return { statementId: reader.raw(DIGEST_BYTES), digest: reader.raw(DIGEST_BYTES) }
}

/** NaN stands for "no such time": it is no time that a token could carry. */
function writeTime(writer: PackedWriter, timeS: number | undefined): void {
  writer.f64(timeS ?? Number.NaN)
}

function readTime(reader: PackedReader): number | undefined {
  const timeS = reader.f64()
  return Number.isNaN(timeS) ? undefined : timeS
}

function writeTexts(writer: PackedWriter, texts: readonly string[]): void {
  writer.u32(texts.length)
  for (const text of texts) writer.text(text)
}

function readTexts(reader: PackedReader): string[] {
  return readList(reader, (from) => from.text())
}

function readList<T>(reader: PackedReader, readItem: (reader: PackedReader) => T): T[] {
  const items: T[] = []
  for (let count = reader.u32(); count > 0; count--) items.push(readItem(reader))
  return items
}

import { describe, expect, it } from 'vitest'
import { toHex } from '../../../src/protocol/bytes.ts'
import { PackedReader, PackedWriter } from '../../../src/protocol/packed.ts'
import {
  readCommand,
  readCommands,
  writeCommand,
} from '../../../src/workers/storage/command-codec.ts'
import {
  readReplies,
  type StorageCommand,
  type StorageReply,
  writeReply,
} from '../../../src/workers/storage/request.ts'
import {
  alias,
  deleteOf,
  delegation,
  mutation,
  packCommands,
  putOf,
  relianceOn,
  revocation,
  signing,
} from '../../_util/storage-commands.ts'

const parent = delegation()
const staged = {
  ...putOf('big', ''),
  valueBytes: 999_999_999,
  value: { kind: 'staged', stagingNo: 2 ** 40, segments: new Uint8Array(64).fill(3) },
} as const

const COMMANDS: Record<string, StorageCommand> = {
  'a put with headers': mutation([putOf('clé', 'value', [['content-type', 'text/plain']])], {
    relies: [relianceOn(parent), relianceOn(delegation(), [relianceOn(parent)])],
    expiresAtS: 1_800_000_000.25,
    spaces: ['a', 'b', 'ç'],
  }),
  'a put of a staged value': mutation([staged]),
  'several operations': mutation([
    putOf('a', ''),
    deleteOf('b'),
    { ...deleteOf('c'), spaceIndex: 1 },
  ]),
  'a condition on absence': mutation([putOf('a', 'x')], { precondition: { kind: 'absent' } }),
  'a condition on a value': mutation([deleteOf('a')], {
    precondition: { kind: 'matches', digest: new Uint8Array(32).fill(9) },
  }),
  'a delegation with all its times': delegation({
    encoding: 'cacao',
    notBeforeS: 0,
    expiresAtS: 1.5,
    issuedAtS: -1,
    effectiveNotBeforeS: 2,
    effectiveExpiresAtS: 3,
    isTerminal: true,
    parents: [parent.digest, new Uint8Array(32)],
    relies: [relianceOn(parent)],
    hosts: ['a'],
    spaces: ['a', 'b'],
  }),
  'a delegation without times': delegation({
    notBeforeS: undefined,
    expiresAtS: undefined,
    issuedAtS: undefined,
    effectiveNotBeforeS: undefined,
    effectiveExpiresAtS: undefined,
  }),
  'another spelling': alias(parent),
  'a signed URL': signing('clé', 'value', {
    relies: [relianceOn(parent), relianceOn(delegation(), [relianceOn(parent)])],
    spaces: ['a', 'ç'],
    spaceIndex: 1,
    expiresAtS: 1_800_000_123,
  }),
  'a revocation': revocation(parent, { encoding: 'cacao', relies: [relianceOn(parent)] }),
}

/** The same for buffers and arrays of the same bytes. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${toHex(value)}`
  if (Array.isArray(value)) return value.map((item) => plain(item))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]))
}

describe('packed commands', () => {
  it.each(Object.entries(COMMANDS))('%s is read as it was written', (_, command) => {
    const [read, ...more] = readCommands(packCommands([command]))
    expect(plain(read)).toStrictEqual(plain(command))
    expect(more).toEqual([])
  })

  it('a batch keeps the order of its commands', () => {
    const commands = Object.values(COMMANDS)
    const read = readCommands(packCommands(commands))
    expect(read.map(({ requestId }) => requestId)).toEqual(
      commands.map(({ requestId }) => requestId),
    )
    expect(plain(read)).toStrictEqual(plain(commands))
  })

  it('an empty batch has no commands', () => {
    expect(readCommands(new ArrayBuffer(0))).toEqual([])
  })

  it('a batch that is cut anywhere is refused, never read as another command', () => {
    const whole = new Uint8Array(packCommands([mutation([putOf('a', 'x'), deleteOf('b')])]))
    for (let length = 1; length < whole.length; length++)
      expect(() => readCommands(whole.subarray(0, length))).toThrow(RangeError)
  })

  it('a number that names no kind is refused', () => {
    const writer = new PackedWriter()
    writeCommand(writer, alias(parent))
    const batch = new Uint8Array(writer.finish())
    batch[0] = 9
    expect(() => readCommand(new PackedReader(batch))).toThrow(/no name has the number 9/)
  })
})

describe('packed replies', () => {
  it('answers and refusals are read as they were written', () => {
    const replies: StorageReply[] = [
      {
        requestId: 2 ** 32 - 1,
        kind: 'answer',
        answer: { status: 200, headers: [['etag', '"x"']], body: Buffer.from('body') },
      },
      { requestId: 0, kind: 'failure', failure: { code: 'NO_SUCH_KEY', detail: 'clé' } },
    ]
    const writer = new PackedWriter()
    for (const reply of replies) writeReply(writer, reply)
    expect(plain(readReplies(writer.finish()))).toStrictEqual(plain(replies))
  })
})

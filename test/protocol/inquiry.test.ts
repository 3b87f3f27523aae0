import { describe, expect, it } from 'vitest'
import {
  type Inquiry,
  type NetworkAnswers,
  readAnswers,
  readInquiry,
  writeAnswers,
  writeInquiry,
} from '../../src/protocol/inquiry.ts'
import { PackedReader, PackedWriter } from '../../src/protocol/packed.ts'

function roundTrip<T>(
  value: T,
  write: (writer: PackedWriter, value: T) => void,
  read: (reader: PackedReader) => T,
): T {
  const writer = new PackedWriter()
  write(writer, value)
  const reader = new PackedReader(writer.finish())
  const copy = read(reader)
  expect(reader.isDone).toBe(true)
  return copy
}

describe('inquiries and answers between threads', () => {
  it.each<Inquiry>([
    { kind: 'hosting', space: 'tinycloud:pkh:eip155:1:0x00:ä' },
    { kind: 'webKey', didUrl: 'did:web:web.example#key-1' },
    {
      kind: 'contractSignature',
      chainId: '8453',
      address: '0x00',
      hash: new Uint8Array(32).fill(1),
      signature: new Uint8Array(130).fill(2),
    },
  ])('an inquiry arrives as it was: $kind', (inquiry) => {
    expect(roundTrip(inquiry, writeInquiry, readInquiry)).toEqual(inquiry)
  })

  it('an inquiry outlives its batch', () => {
    const writer = new PackedWriter()
    const parts = { chainId: '1', address: '0x00', hash: new Uint8Array(32) }
    const signature = new Uint8Array(65).fill(7)
    writeInquiry(writer, { kind: 'contractSignature', ...parts, signature })
    const batch = writer.finish()
    const inquiry = readInquiry(new PackedReader(batch))
    new Uint8Array(batch).fill(0)
    expect(inquiry).toMatchObject({ signature })
  })

  it.each<NetworkAnswers>([
    {},
    { isHostingAllowed: true },
    { isHostingAllowed: false, isContractSignature: true },
    { isContractSignature: false },
    { webKey: null },
    { webKey: { type: 'Ed25519', publicKey: new Uint8Array(32).fill(3) } },
    { webKey: { type: 'secp256k1', publicKey: new Uint8Array(33).fill(4) } },
    { webKey: { type: 'P-256', publicKey: new Uint8Array(65).fill(5) }, isHostingAllowed: true },
  ])('answers arrive as they were, and what was not asked stays unasked: %j', (answers) => {
    const unasked = {
      isHostingAllowed: undefined,
      isContractSignature: undefined,
      webKey: undefined,
    }
    const read = roundTrip(answers, writeAnswers, readAnswers)
    expect(read).toStrictEqual({ ...unasked, ...answers })
  })
})

/** The packed form of staged values: one worker writes them, main keeps them unread, a worker reads them at the commit. */
import { PackedReader, PackedWriter } from '../../../protocol/packed.ts'
import { type StagedValue } from '../../blocks/place.ts'
import { type StagedPut } from './body-form.ts'

const DIGEST_BYTES = 32

/** Owned: exact and in memory of its own, so that it can be transferred. */
export function packStagedPuts(puts: readonly StagedPut[]): Uint8Array<ArrayBuffer> {
  const writer = new PackedWriter()
  writer.u32(puts.length)
  for (const { headers, value } of puts) {
    writer.u16(headers.length)
    for (const [name, text] of headers) writer.text(name).text(text)
    writeValue(writer, value)
  }
  return new Uint8Array(writer.finish())
}

/** Borrowed: bytes are views. */
export function unpackStagedPuts(packed: Uint8Array): StagedPut[] {
  const reader = new PackedReader(packed)
  const puts: StagedPut[] = []
  for (let count = reader.u32(); count > 0; count--) {
    const headers: [string, string][] = []
    for (let left = reader.u16(); left > 0; left--) headers.push([reader.text(), reader.text()])
    puts.push({ headers, value: readValue(reader) })
  }
  return puts
}

function writeValue(writer: PackedWriter, value: StagedValue): void {
  writer.u8(value.kind === 'inline' ? 0 : 1).raw(value.digest)
  if (value.kind === 'inline') writer.bytes(value.bytes)
  else writer.f64(value.valueBytes).bytes(value.segments).f64(value.stagingNo)
}

function readValue(reader: PackedReader): StagedValue {
  const kind = reader.u8()
  const digest = reader.raw(DIGEST_BYTES)
  if (kind === 0) return { kind: 'inline', digest, bytes: reader.bytes() }
  return {
    kind: 'file',
    digest,
    valueBytes: reader.f64(),
    segments: reader.bytes(),
    stagingNo: reader.f64(),
  }
}

import { CarReader } from '@ipld/car'
import { expect, it } from 'vitest'
import { toHex } from '../../src/protocol/bytes.ts'
import { type CarSection, parseCarHeader, parseCarSection } from '../../src/protocol/car.ts'
import { parseCid, type ParsedCid } from '../../src/protocol/cid.ts'
import { describeVectors } from '../_util/vectors.ts'

interface BasicDescription {
  readonly header: { readonly roots: readonly { readonly '/': string }[] }
  readonly blocks: readonly {
    readonly cid: { readonly '/': string }
    readonly offset: number
    readonly length: number
    readonly blockLength: number
  }[]
}

interface Expectation {
  readonly version: number | null
  readonly err: string | null
  readonly cids: readonly string[] | null
}

const refusal: unknown = expect.objectContaining({ name: 'ProtocolError', code: 'TOKEN_MALFORMED' })

/** Offset and content of every section; throws where a section is malformed or cut off. */
function readSections(bytes: Uint8Array): { offset: number; section: CarSection }[] {
  const header = parseCarHeader(bytes)
  if (header === undefined) throw new Error('header is cut off')
  const sections = []
  let offset = header.headerBytes
  while (offset < bytes.length) {
    const section = parseCarSection(bytes, offset)
    if (section === undefined) throw new Error('section is cut off')
    sections.push({ offset, section })
    offset += section.sectionBytes
  }
  return sections
}

const nameOf = ({ codec, hashCode, digest }: ParsedCid): string =>
  `${codec} ${hashCode} ${toHex(digest)}`
const namesOf = (cids: readonly string[]): string[] => cids.map((cid) => nameOf(parseCid(cid)))

const VERSION_2 =
  'the node writes and reads CARv1 only; the pragma of a CARv2 is refused as a header'

describeVectors('car', (folder, tally) => {
  const expectations = (): [file: string, expectation: Expectation][] => {
    const all: Record<string, Expectation> = folder.json('js-car/expectations.json')
    return Object.entries(all)
  }

  it('reads roots, offsets, lengths and CIDs of the basic fixture', () => {
    tally.check('carv1-basic.car', () => {
      const bytes = folder.bytes('ipld/carv1-basic.car')
      const { header, blocks }: BasicDescription = folder.json('ipld/carv1-basic.json')
      const roots = parseCarHeader(bytes)?.roots.length
      expect(roots).toBe(header.roots.length)
      const found = readSections(bytes).map(({ offset, section }) => ({
        name: nameOf(section),
        offset,
        length: section.sectionBytes,
        blockLength: section.data.length,
      }))
      const expected = blocks.map(({ cid, offset, length, blockLength }) => ({
        name: nameOf(parseCid(cid['/'])),
        offset,
        length,
        blockLength,
      }))
      expect(found).toEqual(expected)
    })
  })

  it('reads every section of the sound files', () => {
    const sound = expectations().filter(([, { version, cids }]) => version === 1 && cids !== null)
    expect(sound.map(([file]) => file)).toEqual(['sample-v1.car', 'sample-v1-noidentity.car'])
    for (const [file, { cids }] of sound) {
      tally.check(file, () => {
        const names = readSections(folder.bytes(`js-car/${file}`)).map(({ section }) =>
          nameOf(section),
        )
        expect(names).toEqual(namesOf(cids ?? []))
      })
    }
  })

  it('refuses the bodies that are damaged', () => {
    const damaged = new Map<string, unknown>([
      ['sample-v1-with-zero-len-section.car', refusal],
      ['sample-v1-with-zero-len-section2.car', refusal],
      ['sample-v1-tailing-corrupt-section.car', /section is cut off/],
    ])
    for (const [file, reason] of damaged) {
      tally.check(file, () => {
        const bytes = folder.bytes(`js-car/${file}`)
        expect(parseCarHeader(bytes)).toBeDefined()
        expect(() => readSections(bytes)).toThrow(reason)
      })
    }
  })

  it('refuses headers of another version, or cut off', () => {
    tally.check('sample-rootless-v42.car', () => {
      expect(() => parseCarHeader(folder.bytes('js-car/sample-rootless-v42.car'))).toThrow(refusal)
    })
    tally.check('sample-corrupt-pragma.car', () => {
      expect(parseCarHeader(folder.bytes('js-car/sample-corrupt-pragma.car'))).toBeUndefined()
    })
    tally.check('sample-v2-corrupt-data-and-index.car', () => {
      expect(() =>
        parseCarHeader(folder.bytes('js-car/sample-v2-corrupt-data-and-index.car')),
      ).toThrow(refusal)
    })
  })

  it('refuses CARv2', () => {
    const files = [
      'ipld/carv2-basic.car',
      'js-car/sample-rw-bs-v2.car',
      'js-car/sample-unixfs-v2.car',
    ]
    for (const file of files) {
      tally.deviate(file, VERSION_2, () => {
        expect(() => parseCarHeader(folder.bytes(file))).toThrow(refusal)
      })
    }
    expect(tally.cases).toBe(12)
  })

  it('agrees with the reader of the library on all blocks of the codec fixtures', async () => {
    const bytes = folder.bytes('../dag-cbor/fixtures.car')
    const reader = await CarReader.fromBytes(bytes)
    const expected: { name: string; data: string }[] = []
    for await (const { cid, bytes: data } of reader.blocks()) {
      expected.push({ name: nameOf(parseCid(cid.toString())), data: toHex(data) })
    }
    const found = readSections(bytes).map(({ section }) => ({
      name: nameOf(section),
      data: toHex(section.data),
    }))
    expect(expected).toHaveLength(273)
    expect(found).toEqual(expected)
  })
})

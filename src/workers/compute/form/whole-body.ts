/** A body that arrived whole, as the values that its form says. */
import { concatBytes } from '../../../protocol/bytes.ts'
import { blake3 } from '../../../protocol/crypto/blake3.ts'
import { type StagedValue } from '../../blocks/place.ts'
import { type BodyForm, type StagedPut, valuePut } from './body-form.ts'
import { FormParser } from './form-parser.ts'
import { SignedParts } from './signed-parts.ts'

const inlineValue = (bytes: Uint8Array): StagedValue => ({
  kind: 'inline',
  digest: blake3(bytes),
  bytes,
})

/**
 * Borrowed: the body. Of a single value the result is a view of it.
 * @throws {ProtocolError} OPTION_INVALID | METADATA_TOO_LARGE
 */
export function readWholeBody(form: BodyForm, body: Uint8Array): StagedPut[] {
  if (form.kind === 'value') return [valuePut(form, inlineValue(body))]
  const parts = new SignedParts(form.keys)
  const parser = new FormParser(form.boundary)
  let received: Uint8Array[] = []
  for (const event of parser.push(body)) {
    switch (event.kind) {
      case 'part':
        parts.begin(event.headers)
        received = []
        break
      case 'data':
        received.push(event.bytes)
        break
      case 'end':
        parts.end(inlineValue(concatBytes(received)))
        break
    }
  }
  parser.finish()
  return parts.finish()
}

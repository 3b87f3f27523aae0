/**
 * What a worker says about one request: an answer that is ready for the wire, or the code of a refusal.
 * Compute (reads) and storage (changes) speak the same form, so main handles one.
 */
import { type ErrorCode } from './error.ts'
import { type PackedReader, type PackedWriter } from './packed.ts'

export interface Answer {
  readonly status: number
  /** Lower-case names; main adds CORS, date and length. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Uint8Array
}

export interface Failure {
  readonly code: ErrorCode
  /** Fills the wire text of the code. Never a secret, a token or a value. */
  readonly detail: string
}

export const NO_BODY: Uint8Array = new Uint8Array(0)

export const emptyAnswer = (headers: Answer['headers'] = []): Answer => ({
  status: 200,
  headers,
  body: NO_BODY,
})

export const jsonAnswer = (value: unknown, headers: Answer['headers'] = []): Answer => ({
  status: 200,
  headers: [['content-type', 'application/json'], ...headers],
  body: Buffer.from(JSON.stringify(value)),
})

export function writeHeaders(writer: PackedWriter, headers: Answer['headers']): void {
  writer.u16(headers.length)
  for (const [name, value] of headers) writer.text(name).text(value)
}

export function readHeaders(reader: PackedReader): [name: string, value: string][] {
  const headers: [string, string][] = []
  for (let count = reader.u16(); count > 0; count--) headers.push([reader.text(), reader.text()])
  return headers
}

export function writeAnswer(writer: PackedWriter, answer: Answer): void {
  writer.u16(answer.status)
  writeHeaders(writer, answer.headers)
  writer.bytes(answer.body)
}

/** Borrowed: the body is a view into the batch. */
export function readAnswer(reader: PackedReader): Answer {
  return { status: reader.u16(), headers: readHeaders(reader), body: reader.bytes() }
}

export function writeFailure(writer: PackedWriter, failure: Failure): void {
  writer.text(failure.code).text(failure.detail)
}

export function readFailure(reader: PackedReader): Failure {
  return { code: reader.text() as ErrorCode, detail: reader.text() }
}

/**
 * The body of an authorised change on its way to staging, in the worker that gets its pieces: one value, or a batch of
 * them one after the other. Values that are small travel on in memory, as many as BATCH_HELD_BYTES_MAX allows; the rest
 * are synced files. All files of an upload are its own until a command takes them; `discard` removes those left
 * (BATCH-7).
 */
import { BATCH_HELD_BYTES_MAX, PACKED_VALUE_BYTES_MAX } from '../../../protocol/limits.ts'
import { type StagedUpload, type Staging } from '../../blocks/staging.ts'
import { type BodyForm, type StagedPut, valuePut } from './body-form.ts'
import { FormParser } from './form-parser.ts'
import { SignedParts } from './signed-parts.ts'

export interface BodyUpload {
  /**
   * Borrowed until it resolves: the piece.
   * @throws {ProtocolError} VALUE_TOO_LARGE, and of a batch OPTION_INVALID, METADATA_TOO_LARGE
   * @throws {StorageFault} STORAGE_FULL | STORAGE_UNAVAILABLE
   */
  append(piece: Uint8Array): Promise<void>
  /** The values, in the order of the operations. @throws as `append` */
  finish(): Promise<readonly StagedPut[]>
  /** Removes what is staged and was not taken. Never fails. */
  discard(): Promise<void>
}

/** The numbers of uploads stay below; those of further parts of a batch lie above. */
export const UPLOAD_NUMBERS: number = 2 ** 31

/** `uploadNo` is used once in a run, and stays below UPLOAD_NUMBERS. */
export const openBodyUpload = (staging: Staging, uploadNo: number, form: BodyForm): BodyUpload =>
  form.kind === 'value'
    ? new ValueUpload(staging.open(uploadNo), form)
    : new BatchUpload(staging, uploadNo, form)

/** Bytes that an upload may hold in memory until it is committed. `bodyBytes`: undefined where only the end will tell. */
export const heldBytesOf = (form: BodyForm, bodyBytes: number | undefined): number =>
  Math.min(
    form.kind === 'value' ? PACKED_VALUE_BYTES_MAX : BATCH_HELD_BYTES_MAX,
    bodyBytes ?? Infinity,
  )

class ValueUpload implements BodyUpload {
  readonly #upload: StagedUpload
  readonly #form: Extract<BodyForm, { kind: 'value' }>

  constructor(upload: StagedUpload, form: Extract<BodyForm, { kind: 'value' }>) {
    this.#upload = upload
    this.#form = form
  }

  append(piece: Uint8Array): Promise<void> {
    return this.#upload.append(piece)
  }

  async finish(): Promise<readonly StagedPut[]> {
    return [valuePut(this.#form, await this.#upload.finish())]
  }

  discard(): Promise<void> {
    return this.#upload.discard()
  }
}

class BatchUpload implements BodyUpload {
  readonly #staging: Staging
  readonly #uploadNo: number
  readonly #parser: FormParser
  readonly #parts: SignedParts
  #partCount = 0
  #heldBytesLeft = BATCH_HELD_BYTES_MAX
  /** The part that is arriving. */
  #current: StagedUpload | undefined
  /** Parts that ended as files. */
  readonly #files: StagedUpload[] = []

  constructor(staging: Staging, uploadNo: number, form: Extract<BodyForm, { kind: 'parts' }>) {
    this.#staging = staging
    this.#uploadNo = uploadNo
    this.#parser = new FormParser(form.boundary)
    this.#parts = new SignedParts(form.keys)
  }

  async append(piece: Uint8Array): Promise<void> {
    for (const event of this.#parser.push(piece)) {
      switch (event.kind) {
        case 'part':
          this.#parts.begin(event.headers)
          this.#current = this.#openPart()
          break
        case 'data':
          await this.#current?.append(event.bytes)
          break
        case 'end':
          await this.#endPart()
          break
      }
    }
  }

  async finish(): Promise<readonly StagedPut[]> {
    this.#parser.finish()
    return this.#parts.finish()
  }

  async discard(): Promise<void> {
    await this.#current?.discard()
    for (const file of this.#files) await file.discard()
  }

  #openPart(): StagedUpload {
    const stagingNo = this.#uploadNo + this.#partCount * UPLOAD_NUMBERS
    this.#partCount += 1
    return this.#staging.open(stagingNo, Math.min(this.#heldBytesLeft, PACKED_VALUE_BYTES_MAX))
  }

  async #endPart(): Promise<void> {
    const part = this.#current
    if (!part) throw new Error('a part ends that has not begun')
    const value = await part.finish()
    this.#current = undefined
    if (value.kind === 'file') this.#files.push(part)
    else this.#heldBytesLeft -= value.bytes.length
    this.#parts.end(value)
  }
}

/** One upload: its bytes, in memory or in its file, and its hashes so far. */
import { constants } from 'node:fs'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { concatBytes } from '../../protocol/bytes.ts'
import { type Blake3Hasher, createBlake3 } from '../../protocol/crypto/blake3.ts'
import { ProtocolError } from '../../protocol/error.ts'
import { SEGMENT_BYTES, VALUE_BYTES_MAX } from '../../protocol/limits.ts'
import { StorageFault } from '../storage-fault.ts'
import { isNoSpace } from './file-system.ts'
import { type StagedValue } from './place.ts'
import { type StagedUpload } from './staging.ts'

/** Dirty bytes of one upload that the system may hold back before they are synced. */
const SYNC_BYTES: number = 8 * 1024 * 1024

const CREATE_NEW = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL

export interface UploadOptions {
  readonly path: string
  readonly stagingNo: number
  /** Longer values end as files. */
  readonly inlineBytesMax: number
  /** Bytes held in memory before the file is begun. */
  readonly heldBytesMax: number
}

export class Upload implements StagedUpload {
  readonly #path: string
  readonly #stagingNo: number
  readonly #inlineBytesMax: number
  readonly #heldBytesMax: number
  readonly #whole: Blake3Hasher = createBlake3()
  readonly #segments = new SegmentHashes()
  #held: Uint8Array[] = []
  #file: FileHandle | undefined
  /** There is a file to remove should the upload fail. */
  #isBegun = false
  #valueBytes = 0
  #syncedBytes = 0
  /** A sync of earlier bytes, while later ones are written. */
  #sync: Promise<void> = Promise.resolve()

  constructor({ path, stagingNo, inlineBytesMax, heldBytesMax }: UploadOptions) {
    this.#path = path
    this.#stagingNo = stagingNo
    this.#inlineBytesMax = inlineBytesMax
    this.#heldBytesMax = heldBytesMax
  }

  async append(chunk: Uint8Array): Promise<void> {
    const valueBytes = this.#valueBytes + chunk.length
    if (valueBytes > VALUE_BYTES_MAX)
      throw new ProtocolError('VALUE_TOO_LARGE', String(VALUE_BYTES_MAX))
    this.#whole.update(chunk)
    this.#segments.update(chunk)
    const offset = this.#valueBytes
    this.#valueBytes = valueBytes
    if (valueBytes <= this.#heldBytesMax) {
      this.#held.push(Uint8Array.from(chunk))
      return
    }
    await guarded(() => this.#write(chunk, offset))
  }

  async finish(): Promise<StagedValue> {
    try {
      return await guarded(() => this.#finish())
    } catch (error) {
      await this.discard()
      throw error
    }
  }

  async discard(): Promise<void> {
    this.#held = []
    if (!this.#isBegun) return
    this.#isBegun = false
    await this.#sync.catch(ignore)
    await this.#file?.close().catch(ignore)
    this.#file = undefined
    await unlink(this.#path).catch(ignore)
  }

  async #finish(): Promise<StagedValue> {
    const digest = this.#whole.digest()
    if (this.#valueBytes <= this.#inlineBytesMax)
      return { kind: 'inline', digest, bytes: await this.#takeBytes() }
    await this.#settle()
    return {
      kind: 'file',
      digest,
      valueBytes: this.#valueBytes,
      segments: this.#segments.finish(),
      stagingNo: this.#stagingNo,
    }
  }

  async #write(chunk: Uint8Array, offset: number): Promise<void> {
    const file = this.#file ?? (await this.#begin())
    await writeFully(file, chunk, offset)
    if (this.#valueBytes - this.#syncedBytes < SYNC_BYTES) return
    await this.#sync
    this.#syncedBytes = this.#valueBytes
    this.#sync = file.datasync()
    // Awaited before the next sync and at the end; until then a failure is not unhandled.
    this.#sync.catch(ignore)
  }

  /** Creates the file and writes what was held. */
  async #begin(): Promise<FileHandle> {
    const file = await open(this.#path, CREATE_NEW, 0o600)
    this.#file = file
    this.#isBegun = true
    let offset = 0
    for (const part of this.#held) {
      await writeFully(file, part, offset)
      offset += part.length
    }
    this.#held = []
    return file
  }

  /** Everything written is on stable storage, and the descriptor is closed. */
  async #settle(): Promise<void> {
    await this.#sync
    await this.#file?.datasync()
    await this.#file?.close()
    this.#file = undefined
  }

  /** The bytes of a small value; its file, if it has one, goes. */
  async #takeBytes(): Promise<Uint8Array> {
    if (!this.#file) {
      const held = concatBytes(this.#held)
      this.#held = []
      return held
    }
    const bytes = Buffer.allocUnsafeSlow(this.#valueBytes)
    await this.#file.read(bytes, 0, bytes.length, 0)
    await this.discard()
    return bytes
  }
}

/** BLAKE3 of every SEGMENT_BYTES of what passes by. */
class SegmentHashes {
  readonly #digests: Uint8Array[] = []
  #hasher: Blake3Hasher = createBlake3()
  #filledBytes = 0

  update(chunk: Uint8Array): void {
    let rest = chunk
    while (rest.length > 0) {
      const part = rest.subarray(0, SEGMENT_BYTES - this.#filledBytes)
      this.#hasher.update(part)
      this.#filledBytes += part.length
      if (this.#filledBytes === SEGMENT_BYTES) this.#close()
      rest = rest.subarray(part.length)
    }
  }

  /** 32 bytes for each segment. */
  finish(): Uint8Array {
    if (this.#filledBytes > 0) this.#close()
    return concatBytes(this.#digests)
  }

  #close(): void {
    this.#digests.push(this.#hasher.digest())
    this.#hasher = createBlake3()
    this.#filledBytes = 0
  }
}

async function writeFully(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  let written = 0
  while (written < bytes.length) {
    const { bytesWritten } = await file.write(
      bytes,
      written,
      bytes.length - written,
      offset + written,
    )
    written += bytesWritten
  }
}

const ignore = (): void => undefined

async function guarded<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (cause) {
    throw new StorageFault(
      isNoSpace(cause) ? 'STORAGE_FULL' : 'STORAGE_UNAVAILABLE',
      'an upload cannot be staged',
      {
        cause,
      },
    )
  }
}

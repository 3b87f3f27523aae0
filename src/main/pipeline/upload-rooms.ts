/**
 * Room of spaces that uploads on their way will need. It is known to this process only, counts only for uploads that
 * begin meanwhile, and ends with the request: the transaction alone decides (DESIGN §4).
 */
import { type Failure } from '../../protocol/answer.ts'
import { VALUE_BYTES_MAX } from '../../protocol/limits.ts'
import { describeUse, findQuotaRefusal, type UploadRoom } from '../../protocol/quota.ts'

/** How long a body may be, and what is said of a longer one. */
export interface BodyLimit {
  readonly bytesMax: number
  readonly beyond: Failure
}

export interface UploadPlace {
  readonly limit: BodyLimit
  /** To be called once, when the request is over. */
  release(): void
}

export type UploadAdmission =
  | { readonly ok: true; readonly place: UploadPlace }
  | { readonly ok: false; readonly failure: Failure }

/** Of a body that no space limits further. Rule: KV-6. */
export const VALUE_LIMIT: BodyLimit = {
  bytesMax: VALUE_BYTES_MAX,
  beyond: { code: 'VALUE_TOO_LARGE', detail: String(VALUE_BYTES_MAX) },
}

export class UploadRooms {
  /** By how much the uploads of a space will let it grow. Without an entry: none is on its way. */
  readonly #expected = new Map<string, number>()

  get spaceCount(): number {
    return this.#expected.size
  }

  /** A body without a declared length expects nothing, and may have what is left. Rule: QUOTA-5. */
  admit(room: UploadRoom | undefined, declaredBytes: number | undefined): UploadAdmission {
    if (!room) return { ok: true, place: { limit: VALUE_LIMIT, release: () => undefined } }
    const { space, creditBytes, limitBytes } = room
    const usedBytes = room.usedBytes + (this.#expected.get(space) ?? 0)
    const grownBytes = Math.max(0, (declaredBytes ?? 0) - creditBytes)
    const failure = findQuotaRefusal(usedBytes, grownBytes, limitBytes)
    if (failure) return { ok: false, failure }
    this.#expect(space, grownBytes)
    const release = (): void => this.#expect(space, -grownBytes)
    return { ok: true, place: { limit: limitOf(usedBytes, room), release } }
  }

  #expect(space: string, grownBytes: number): void {
    const expected = (this.#expected.get(space) ?? 0) + grownBytes
    if (expected === 0) this.#expected.delete(space)
    else this.#expected.set(space, expected)
  }
}

/** What replaces is never more than what it replaces, also in a space that is over its limit. */
function limitOf(usedBytes: number, { creditBytes, limitBytes }: UploadRoom): BodyLimit {
  const bytesMax = creditBytes + Math.max(0, limitBytes - usedBytes)
  if (bytesMax >= VALUE_BYTES_MAX) return VALUE_LIMIT
  const code = usedBytes >= limitBytes ? 'QUOTA_EXCEEDED' : 'QUOTA_REMAINDER'
  return { bytesMax, beyond: { code, detail: describeUse(usedBytes, limitBytes) } }
}

/**
 * Which reads were answered already: the second use of an invocation is refused (INV-10, reference-behaviour §2.9). Changes are
 * not here: the storage actor refuses their repetition durably.
 *
 * What may be lost: everything, with the process. A repeated read then gives its reader nothing that the first did not.
 * Claims are made when a verified and authorised answer is about to be sent (docs/decisions/002-replay-claims.md).
 *
 * Layout: a ring of slots in order of arrival (16 bytes of id and the second at which it expires), and an open-addressed
 * index over them with linear probing. Ids are the head of a BLAKE3 hash; the index mixes in a random number, so that
 * nobody can aim at one place of it. When the ring is full the oldest claim is forgotten.
 */

/** 10,000 reads a second of tokens that live 100 s. About 28 MB when full; memory is touched only as it fills. */
export const REPLAY_CLAIMS_MAX: number = 2 ** 20

const ID_WORDS = 4
const ID_BYTES = ID_WORDS * 4
/** The index holds slot numbers plus one, so that fresh memory is an empty index and stays untouched. */
const EMPTY = 0

export class ReplayClaims {
  readonly #capacity: number
  /** Slot number modulo capacity → id, as four words. */
  readonly #ids: Uint32Array
  /** Slot number modulo capacity → Unix seconds, rounded up. */
  readonly #expiresAtS: Uint32Array
  /** Hash → slot plus one, or EMPTY. Twice the capacity, a power of two. */
  readonly #index: Int32Array
  readonly #seed: number
  /** The id that is looked for, as words and as bytes: one piece of memory, used within a call. */
  readonly #sought = new Uint32Array(ID_WORDS)
  readonly #soughtBytes = new Uint8Array(this.#sought.buffer)
  #first = 0
  #count = 0

  /** `capacity` must be a power of two. `seed` is any 32 random bits. */
  constructor(capacity: number, seed: number) {
    this.#capacity = capacity
    this.#ids = new Uint32Array(capacity * ID_WORDS)
    this.#expiresAtS = new Uint32Array(capacity)
    this.#index = new Int32Array(capacity * 2)
    this.#seed = seed | 0
  }

  get count(): number {
    return this.#count
  }

  /** True once per id while it lives. `id` is borrowed: its first 16 bytes count. */
  claim(id: Uint8Array, expiresAtS: number, nowS: number): boolean {
    const words = this.#sought
    this.#soughtBytes.set(id.subarray(0, ID_BYTES))
    if (this.#index[this.#find(words)] !== EMPTY) return false
    this.#forgetExpired(nowS)
    if (this.#count === this.#capacity) this.#forgetFirst()
    const slot = (this.#first + this.#count) % this.#capacity
    this.#ids.set(words, slot * ID_WORDS)
    this.#expiresAtS[slot] = Math.ceil(expiresAtS)
    // Forgetting moves entries of the index, so the place is looked for again.
    this.#index[this.#find(words)] = slot + 1
    this.#count += 1
    return true
  }

  /** Where the id is, or where it would go. The index is never more than half full, so the search ends. */
  #find(words: Uint32Array): number {
    const mask = this.#index.length - 1
    let place = this.#home(words, 0)
    for (;;) {
      const entry = this.#index[place] ?? EMPTY
      if (entry === EMPTY || this.#isAt(entry - 1, words)) return place
      place = (place + 1) & mask
    }
  }

  #isAt(slot: number, words: Uint32Array): boolean {
    const offset = slot * ID_WORDS
    for (let word = 0; word < ID_WORDS; word++) {
      if (this.#ids[offset + word] !== words[word]) return false
    }
    return true
  }

  #home(words: Uint32Array, offset: number): number {
    const mixed = Math.imul((words[offset] ?? 0) ^ this.#seed, 0x9e3779b1)
    const folded = Math.imul(mixed ^ (mixed >>> 15) ^ (words[offset + 1] ?? 0), 0x85ebca6b)
    return (folded ^ (folded >>> 13)) & (this.#index.length - 1)
  }

  /** Only from the oldest on: lifetimes are bounded, so one that lives longer delays the others for minutes at most. */
  #forgetExpired(nowS: number): void {
    while (this.#count > 0 && (this.#expiresAtS[this.#first] ?? 0) < nowS) this.#forgetFirst()
  }

  #forgetFirst(): void {
    const offset = this.#first * ID_WORDS
    this.#removeFromIndex(this.#find(this.#ids.subarray(offset, offset + ID_WORDS)))
    this.#first = (this.#first + 1) % this.#capacity
    this.#count -= 1
  }

  /** Closes the gap by moving back what was pushed past it, so that searches need no marks of removed entries. */
  #removeFromIndex(gap: number): void {
    const mask = this.#index.length - 1
    let hole = gap
    let place = gap
    for (;;) {
      place = (place + 1) & mask
      const entry = this.#index[place] ?? EMPTY
      if (entry === EMPTY) break
      const home = this.#home(this.#ids, (entry - 1) * ID_WORDS)
      if (((place - home) & mask) < ((place - hole) & mask)) continue
      this.#index[hole] = entry
      hole = place
    }
    this.#index[hole] = EMPTY
  }
}

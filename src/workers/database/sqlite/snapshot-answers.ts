/**
 * What was read in the snapshot that is open. Requests of one batch ask much the same, their spaces and their proofs
 * above all, and inside a snapshot one answer is right for all of them.
 */
export class SnapshotAnswers<V> {
  readonly #answers = new Map<string, { readonly answer: V }>()

  /** Asks once for each name. An error is not kept: who asks again gets it again. */
  get(name: string, ask: () => V): V {
    const known = this.#answers.get(name)
    if (known) return known.answer
    const answer = ask()
    this.#answers.set(name, { answer })
    return answer
  }

  /** The snapshot ends. */
  clear(): void {
    this.#answers.clear()
  }
}

/** Finds the known name that a mistyped one most likely means. */

/** Longest mistyped name that is compared; the work grows with the product of the lengths. */
const NAME_CHARS_MAX = 200

/**
 * The candidate with the fewest errors between it and `name`; the first one of several. A leading word that was left out
 * counts as one error, so that `secret` finds `keys.secret`.
 */
export function nearestName(name: string, candidates: readonly string[]): string {
  const typed = name.slice(0, NAME_CHARS_MAX)
  let nearest = ''
  let nearestErrors = Infinity
  for (const candidate of candidates) {
    for (const [wordsLeftOut, tail] of tailsOf(candidate).entries()) {
      const errors = wordsLeftOut + typingErrors(typed, tail)
      if (errors >= nearestErrors) continue
      nearest = candidate
      nearestErrors = errors
    }
  }
  return nearest
}

/** `a.b_c` → `a.b_c`, `b_c`, `c`. */
function tailsOf(candidate: string): string[] {
  const words = candidate.split(/(?<=[._])/)
  return words.map((_, index) => words.slice(index).join(''))
}

/** Optimal string alignment distance: letters left out, added, exchanged, or swapped with their neighbour. */
function typingErrors(from: string, to: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1]
      let errors = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (isSame ? 0 : 1),
      )
      const isSwap = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      if (isSwap) errors = Math.min(errors, at(beforeLast, column - 2) + 1)
      current.push(errors)
    }
    beforeLast = last
    last = current
  }
  return at(last, to.length)
}

const at = (row: readonly number[], column: number): number => row[column] ?? Infinity

/** Collects what was checked and what is wrong: counts are exact, the list is bounded. */
import { type Damage, type DamageKind } from '../../storage/request.ts'
import { type CheckResult, DAMAGES_LISTED_MAX } from '../request.ts'
import { CHECK_NAMES, type CheckName, CHECKS } from './checks.ts'

/** The row or file that is damaged. */
export interface Subject {
  readonly kind: DamageKind
  readonly rowId: string | number
}

export class Findings {
  readonly #checked = new Map<CheckName, number>()
  readonly #problems = new Map<CheckName, number>()
  readonly #damages: Damage[] = []
  readonly #onDamage: ((damage: Damage) => void) | undefined
  #total = 0

  constructor(onDamage?: (damage: Damage) => void) {
    this.#onDamage = onDamage
  }

  /** This many more were looked at. */
  count(check: CheckName, count = 1): void {
    this.#checked.set(check, (this.#checked.get(check) ?? 0) + count)
  }

  /** `reason` is for people: never a key of a space, a token or a value. */
  report(check: CheckName, { kind, rowId }: Subject, reason: string): void {
    this.#problems.set(check, (this.#problems.get(check) ?? 0) + 1)
    this.#total += 1
    const damage: Damage = { kind, rowId: String(rowId), reason: `${check}: ${reason}` }
    if (this.#damages.length < DAMAGES_LISTED_MAX) this.#damages.push(damage)
    this.#onDamage?.(damage)
  }

  /** Counts one check, and reports it where it does not hold. Gives whether it holds. */
  expect(isTrue: boolean, check: CheckName, subject: Subject, reason: string): boolean {
    this.count(check)
    if (!isTrue) this.report(check, subject, reason)
    return isTrue
  }

  get total(): number {
    return this.#total
  }

  get damages(): readonly Damage[] {
    return this.#damages
  }

  results(): CheckResult[] {
    return CHECK_NAMES.map((name) => ({
      name,
      what: CHECKS[name],
      checked: this.#checked.get(name) ?? 0,
      problems: this.#problems.get(name) ?? 0,
    }))
  }
}

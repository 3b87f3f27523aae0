/**
 * Lets go of what is kept longer than `storage.history` says, in the background and in bounded steps: what is too old, what
 * exceeds a number that was lowered, and everything where nothing is kept any more. With a number, puts keep to it
 * themselves; only after another setting every key is looked at once.
 */
import { type KeptLedger, type KeptPosition, type LetGoStep } from '../../database/kept-ledger.ts'
import { describeKeepRule } from '../../keep-rule.ts'
import { type KeepRule } from '../request.ts'
import { SWEPT_ROWS_MAX } from './limits.ts'

export class KeptSweep {
  readonly #ledger: KeptLedger
  readonly #rule: KeepRule
  /** Nothing that is stored exceeds the rule, and nothing will. */
  #isSettled: boolean
  #walkedTo: KeptPosition | undefined

  private constructor(ledger: KeptLedger, rule: KeepRule, isSettled: boolean) {
    this.#ledger = ledger
    this.#rule = rule
    this.#isSettled = isSettled
  }

  /** Before anything is kept by this rule: what was settled by another one is no more. */
  static async open(ledger: KeptLedger, rule: KeepRule): Promise<KeptSweep> {
    const settled = await ledger.readSettledRule()
    const isSettled = rule.kind === 'versions' && settled === describeKeepRule(rule)
    if (settled !== undefined && !isSettled) await ledger.writeSettledRule(undefined)
    return new KeptSweep(ledger, rule, isSettled)
  }

  /** One step. True: there is more to do at once. @throws {RunEnded} */
  async step(runNo: number, nowS: number): Promise<boolean> {
    if (this.#isSettled) return false
    const rule = this.#rule
    const step = { runNo, nowS, rowsMax: SWEPT_ROWS_MAX }
    if (rule.kind === 'versions') return this.#walk(rule, step)
    const untilS = rule.kind === 'none' ? Infinity : nowS - rule.seconds
    const isMore = (await this.#ledger.letGoUntil(untilS, step)) === SWEPT_ROWS_MAX
    // Where nothing is kept, nothing comes after it.
    this.#isSettled = rule.kind === 'none' && !isMore
    return isMore
  }

  async #walk(rule: Extract<KeepRule, { kind: 'versions' }>, step: LetGoStep): Promise<boolean> {
    const { next } = await this.#ledger.letGoBeyond(rule.versions, this.#walkedTo, step)
    this.#walkedTo = next
    if (next) return true
    await this.#ledger.writeSettledRule(describeKeepRule(rule))
    this.#isSettled = true
    return false
  }
}

/**
 * What a group knows of kept versions while it is decided, and what it changes of them (`storage.history`). Made only where
 * something is kept: without, a put neither looks anything up nor writes anything for it.
 */
import {
  type GroupFacts,
  type GroupQuestions,
  type KeptChanges,
  type KeptVersion,
  type KeyVersion,
} from '../../database/transactor.ts'
import { type KeptRow } from '../../database/tables/kept.ts'
import { keyText } from '../group-questions.ts'
import { type KeepRule, type StorageCommand } from '../request.ts'
import { LET_GO_PER_PUT_MAX } from './limits.ts'

export type ActiveKeepRule = Exclude<KeepRule, { kind: 'none' }>

/** The same questions, and what is to be known of the kept versions of each key. */
export function keptQuestions(
  questions: GroupQuestions,
  commands: readonly StorageCommand[],
  rule: ActiveKeepRule,
): GroupQuestions {
  if (rule.kind === 'time')
    return { ...questions, kept: questions.keys.map(() => ({ goneBelow: 0, oldestMax: 0 })) }
  const spaceIndexes = new Map(questions.spaces.map((space, index) => [space, index]))
  const counts = new Map<string, number>()
  for (const command of commands) {
    if (command.kind !== 'mutate') continue
    for (const { spaceIndex, key } of command.operations) {
      const name = keyText(spaceIndexes.get(command.spaces[spaceIndex] ?? '') ?? -1, key)
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
  }
  return {
    ...questions,
    kept: questions.keys.map(({ spaceIndex, key }) => {
      const count = counts.get(keyText(spaceIndex, key)) ?? 0
      return { goneBelow: count - rule.versions, oldestMax: count * LET_GO_PER_PUT_MAX }
    }),
  }
}

/** The kept versions of one key, as far as they matter to the group. */
interface KeptOfKey {
  lastPosition: number
  /** Without gaps from the oldest one on. */
  readonly oldest: KeptVersion[]
}

export interface KeptViewOptions {
  readonly questions: GroupQuestions
  readonly facts: GroupFacts
  readonly rule: ActiveKeepRule
  readonly nowS: number
}

export class KeptView {
  readonly #rule: ActiveKeepRule
  readonly #nowS: number
  readonly #keys = new Map<string, KeptOfKey>()
  /** By the version that replaced it. */
  readonly #added = new Map<number, KeptRow>()
  readonly #gone: number[] = []

  constructor({ questions, facts, rule, nowS }: KeptViewOptions) {
    this.#rule = rule
    this.#nowS = nowS
    for (const [index, { spaceIndex, key }] of questions.keys.entries()) {
      const kept = facts.kept?.[index]
      const space = facts.spaces[spaceIndex]
      if (!kept || !space) continue
      const { lastPosition, oldest } = kept
      this.#keys.set(keyText(space.spaceNo, key), { lastPosition, oldest: [...oldest] })
    }
  }

  get changes(): KeptChanges {
    return { added: [...this.#added.values()], gone: this.#gone }
  }

  /** Keeps a live version that is replaced. Gives those that are let go for it, the oldest first. Rule: HIST-5. */
  keep(
    spaceNo: number,
    key: Uint8Array,
    version: KeyVersion,
    replacedByNo: number,
  ): readonly KeptVersion[] {
    const { versionNo, seq, epochSeq, valueBytes, objectNo, packNo, packLength } = version
    const kept = this.#keptOf(spaceNo, key)
    const position = kept.lastPosition + 1
    kept.lastPosition = position
    this.#added.set(replacedByNo, {
      replacedByNo,
      versionNo,
      spaceNo,
      key,
      seq,
      epochSeq,
      position,
      valueBytes,
      objectNo,
      replacedAtS: this.#nowS,
    })
    if (this.#rule.kind === 'time') return NONE
    kept.oldest.push({ replacedByNo, position, valueBytes, objectNo, packNo, packLength })
    return this.#letGo(kept, position - this.#rule.versions)
  }

  #keptOf(spaceNo: number, key: Uint8Array): KeptOfKey {
    const name = keyText(spaceNo, key)
    const known = this.#keys.get(name)
    if (known) return known
    const kept: KeptOfKey = { lastPosition: -1, oldest: [] }
    this.#keys.set(name, kept)
    return kept
  }

  /** `toPosition`: that of the newest one that goes. */
  #letGo({ oldest }: KeptOfKey, toPosition: number): readonly KeptVersion[] {
    const count = oldest
      .slice(0, LET_GO_PER_PUT_MAX)
      .filter(({ position }) => position <= toPosition).length
    if (count === 0) return NONE
    const gone = oldest.splice(0, count)
    for (const { replacedByNo } of gone)
      if (!this.#added.delete(replacedByNo)) this.#gone.push(replacedByNo)
    return gone
  }
}

const NONE: readonly KeptVersion[] = []

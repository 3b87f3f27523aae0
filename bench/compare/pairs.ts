/**
 * Sides take turns under the same load. Whatever slows the machine slows all of a round alike, so ratios within a round
 * mean something where absolute figures do not; a round that others disturbed does not count.
 */
import { median, type Usage, watchProcessors } from '../machine.ts'

/** A round during which others used more than this share of the processors does not count. */
export const FOREIGN_SHARE_MAX = 0.04

export type SideName = 'node' | 'limit' | 'against'

export interface Side {
  readonly name: SideName
  readonly url: string
  /** Undefined: a server of which nothing else is known. Its turns cannot be told from foreign load. */
  readonly pid: number | undefined
}

export interface Turn<R> {
  readonly report: R
  readonly usage: Usage | undefined
}

export interface Round<R> {
  readonly turns: Readonly<Partial<Record<SideName, Turn<R>>>>
  /** The largest of its turns. */
  readonly foreignShare: number
  readonly isDisturbed: boolean
}

export interface RoundOptions<L, R> {
  readonly sides: readonly Side[]
  readonly rounds: number
  readonly attemptsPerRoundMax: number
  /** Makes what all sides of the round get. Not measured. */
  readonly prepare: (roundNo: number) => Promise<L>
  readonly measure: (side: Side, load: L) => Promise<R>
}

/** Measures until enough rounds were undisturbed, or the attempts are used up. Each round starts with another side. */
export async function measureRounds<L, R>(options: RoundOptions<L, R>): Promise<Round<R>[]> {
  const rounds: Round<R>[] = []
  const isWanting = (): boolean =>
    rounds.filter(({ isDisturbed }) => !isDisturbed).length < options.rounds &&
    rounds.length < options.rounds * options.attemptsPerRoundMax
  while (isWanting()) {
    const load = await options.prepare(rounds.length)
    rounds.push(await measureRound(options, load, rounds.length))
  }
  return rounds
}

async function measureRound<L, R>(
  { sides, measure }: RoundOptions<L, R>,
  load: L,
  roundNo: number,
): Promise<Round<R>> {
  const turns: Partial<Record<SideName, Turn<R>>> = {}
  const shift = roundNo % sides.length
  for (const side of [...sides.slice(shift), ...sides.slice(0, shift)])
    turns[side.name] = await measureTurn(side, sides, () => measure(side, load))
  const foreignShare = Math.max(
    ...Object.values(turns).map(({ usage }) => usage?.foreignShare ?? 0),
  )
  return { turns, foreignShare, isDisturbed: foreignShare > FOREIGN_SHARE_MAX }
}

async function measureTurn<R>(
  { pid }: Side,
  sides: readonly Side[],
  work: () => Promise<R>,
): Promise<Turn<R>> {
  if (pid === undefined) return { report: await work(), usage: undefined }
  const otherPids = sides.flatMap((other) =>
    other.pid === undefined || other.pid === pid ? [] : [other.pid],
  )
  const { result, usage } = await watchProcessors({ serverPid: pid, otherPids }, work)
  return { report: result, usage }
}

/** The rounds that count: the undisturbed ones, or all where every one was disturbed. */
export function countedRounds<R extends { readonly isDisturbed: boolean }>(
  rounds: readonly R[],
): readonly R[] {
  const clean = rounds.filter(({ isDisturbed }) => !isDisturbed)
  return clean.length > 0 ? clean : rounds
}

export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) }
}

/** What `pick` reads of one side, over the rounds that count; undefined where the side did not run. */
export function spreadOfSide<R>(
  rounds: readonly Round<R>[],
  name: SideName,
  pick: (report: R) => number,
): Spread | undefined {
  const values = countedRounds(rounds).flatMap(({ turns }) => {
    const turn = turns[name]
    return turn ? [pick(turn.report)] : []
  })
  return values.length > 0 ? spreadOf(values) : undefined
}

/** The node's figure over another side's, round by round; undefined where that side did not run. */
export function shareOfSide<R>(
  rounds: readonly Round<R>[],
  name: SideName,
  pick: (report: R) => number,
): Spread | undefined {
  const values = countedRounds(rounds).flatMap(({ turns }) => {
    const [node, other] = [turns.node, turns[name]]
    return node && other ? [pick(node.report) / pick(other.report)] : []
  })
  return values.length > 0 ? spreadOf(values) : undefined
}

import { type NodeProcessOptions } from '../../test/_util/node-process.ts'

/** How long and how often a run measures, and what it measures the node against. */
export interface BenchSettings {
  /** Short, few pairs, disturbed ones counted too: figures that only indicate. */
  readonly isQuick: boolean
  /** Of each side of each pair. */
  readonly seconds: number
  /** Undisturbed pairs wanted per question. */
  readonly pairs: number
  /** Disturbed pairs are repeated, up to this many attempts per wanted pair. */
  readonly attemptsPerPairMax: number
  readonly computeWorkers: number | undefined
  readonly against: Against | undefined
  /** What the nodes are started with beside that: for profiles. */
  readonly nodeExtras?: Pick<NodeProcessOptions, 'nodeOptions' | 'environment'>
}

/** Another node beside ours: one that runs already, or this program at another revision. */
export type Against =
  | { readonly kind: 'url'; readonly url: string; readonly pid: number | undefined }
  | { readonly kind: 'revision'; readonly revision: string; readonly projectRoot: string }

export const FULL_SETTINGS: Pick<BenchSettings, 'seconds' | 'pairs' | 'attemptsPerPairMax'> = {
  seconds: 5,
  pairs: 7,
  attemptsPerPairMax: 3,
}

/** Chosen so that all questions together stay under three minutes on two cores. */
export const QUICK_SETTINGS: Pick<BenchSettings, 'seconds' | 'pairs' | 'attemptsPerPairMax'> = {
  seconds: 0.4,
  pairs: 3,
  attemptsPerPairMax: 1,
}

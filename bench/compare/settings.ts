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
  /** Load of each side before the first pair: code is compiled by then. */
  readonly warmUpSeconds: number
  /** What the nodes are started with beside that. */
  readonly nodeExtras?: Pick<NodeProcessOptions, 'nodeOptions' | 'environment' | 'isBuilt'>
}

/** Another node beside ours: one that runs already, or this program at another revision. */
export type Against =
  | { readonly kind: 'url'; readonly url: string; readonly pid: number | undefined }
  | { readonly kind: 'revision'; readonly revision: string; readonly projectRoot: string }

type Extent = Pick<BenchSettings, 'seconds' | 'pairs' | 'attemptsPerPairMax' | 'warmUpSeconds'>

export const FULL_SETTINGS: Extent = {
  seconds: 5,
  pairs: 7,
  attemptsPerPairMax: 3,
  warmUpSeconds: 6,
}

/** Chosen so that all questions together stay under three minutes on two cores. */
export const QUICK_SETTINGS: Extent = {
  seconds: 0.4,
  pairs: 3,
  attemptsPerPairMax: 1,
  warmUpSeconds: 0,
}

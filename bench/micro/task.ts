/** A piece of work that the micro questions time. */
export interface MicroTask {
  readonly name: string
  /** Not timed; runs before each round of `run`. */
  readonly prepare?: () => void
  readonly run: () => unknown
  /** How many of the thing that the name says one call does; 1 by default. */
  readonly perRun?: number
}

export interface MicroTasks {
  readonly tasks: readonly MicroTask[]
  close?(): Promise<void>
}

/**
 * Going down in named phases, each within its part of one limit (DESIGN §6): a phase that is late is noted, cut off and
 * followed by the next. SIGKILL at any moment is safe; this only makes it polite.
 */

export interface Phase {
  readonly name: string
  /** Milliseconds after the start of the shutdown at which the phase must be over. */
  readonly deadlineMs: number
  run(): Promise<void>
}

/** The names of the phases that were late, or that failed. */
export async function runPhases(
  phases: readonly Phase[],
  onPhase: (name: string) => void,
): Promise<string[]> {
  const startedMs = performance.now()
  const late: string[] = []
  for (const phase of phases) {
    onPhase(phase.name)
    const leftMs = Math.max(0, phase.deadlineMs - (performance.now() - startedMs))
    const isInTime = await within(leftMs, phase.run())
    if (!isInTime) late.push(phase.name)
  }
  return late
}

async function within(limitMs: number, work: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, limitMs, false)
  })
  try {
    return await Promise.race([
      work.then(
        () => true,
        () => false,
      ),
      limit,
    ])
  } finally {
    clearTimeout(timer)
  }
}

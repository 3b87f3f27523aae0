/** Shows how far a verification is: a bar on a terminal, else a line every few seconds. On standard error. */
import { VERIFY_PHASES } from '../../workers/maintenance/request.ts'
import { type VerifyProgress } from '../maintenance-client.ts'

const BAR_CHARS = 30
/** Between two lines where there is no terminal. */
const LINE_INTERVAL_MS = 5000
/** Carriage return, and erase to the end of the line. */
const REWIND = '\r\u001B[K'

export interface ProgressOptions {
  readonly isTerminal: boolean
  readonly write: (text: string) => void
  readonly nowMs: () => number
}

export class ProgressDisplay {
  readonly #options: ProgressOptions
  #writtenMs: number
  #isDrawn = false

  constructor(options: ProgressOptions) {
    this.#options = options
    this.#writtenMs = options.nowMs()
  }

  show(progress: VerifyProgress): void {
    const { isTerminal, write, nowMs } = this.#options
    if (isTerminal) {
      write(REWIND + formatBar(progress))
      this.#isDrawn = true
      return
    }
    if (nowMs() - this.#writtenMs < LINE_INTERVAL_MS) return
    this.#writtenMs = nowMs()
    write(`verify: ${progress.phase} ${percentOf(progress)} %\n`)
  }

  /** Takes the bar away, so that the report begins on a line of its own. */
  close(): void {
    if (this.#isDrawn) this.#options.write(REWIND)
    this.#isDrawn = false
  }
}

const percentOf = ({ done, total }: VerifyProgress): number =>
  Math.floor((100 * Math.min(done, total)) / Math.max(1, total))

function formatBar(progress: VerifyProgress): string {
  const percent = percentOf(progress)
  const filled = Math.round((BAR_CHARS * percent) / 100)
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_CHARS - filled)
  const step = VERIFY_PHASES.indexOf(progress.phase) + 1
  return `${bar} ${String(percent).padStart(3)} %  ${step}/${VERIFY_PHASES.length} ${progress.phase}`
}

/** Reclaims what no row needs, in the background and at a pace that leaves the actor to its groups. */
import { type StorageActor } from './actor.ts'

/** Between two looks when there is nothing to do. */
const IDLE_MS = 1000
/** After a step the actor has so many times as long for other work: tidying takes a fifth of its time at most. */
const REST_PER_STEP = 4

/** Goes on until the thread ends; the actor refuses once it is closing. */
export function startTending(actor: Pick<StorageActor, 'tend'>): void {
  const later = (delayMs: number): void => {
    setTimeout(() => void step(), delayMs).unref()
  }
  const step = async (): Promise<void> => {
    const startedMs = performance.now()
    const isMore = await actor.tend()
    later(isMore ? (performance.now() - startedMs) * REST_PER_STEP : IDLE_MS)
  }
  later(IDLE_MS)
}

/** Request headers that say how an operation is meant. */
import { type TokenEntry } from '../request.ts'

/** The value of a header, undefined when absent. Of a repeated header the last counts. */
export function headerOf(entry: Pick<TokenEntry, 'headers'>, name: string): string | undefined {
  let value: string | undefined
  for (const [key, text] of entry.headers) if (key === name) value = text
  return value
}

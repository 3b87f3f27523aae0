/** How a request without a token wants its value. */
import { headerOf } from '../invoke/option-headers.ts'
import { type OpenEntry } from '../request.ts'
import { type ValueWish } from '../value/answer-value.ts'

export const wishOf = (entry: OpenEntry): ValueWish => ({
  ifNoneMatch: headerOf(entry, 'if-none-match'),
  range: headerOf(entry, 'range'),
  ifRange: headerOf(entry, 'if-range'),
  isHead: entry.isHead,
})

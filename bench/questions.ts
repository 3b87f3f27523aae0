/** Every question, in the order in which they are asked. */
import { type Question } from './question.ts'
import { chain } from './questions/chain.ts'
import { delegate } from './questions/delegate.ts'
import { get } from './questions/get.ts'
import { list } from './questions/list.ts'
import { mixed } from './questions/mixed.ts'
import { put } from './questions/put.ts'
import { spaces } from './questions/spaces.ts'

export const QUESTIONS: readonly Question[] = [put, spaces, get, mixed, list, delegate, chain]

/** Every question, in the order in which they are asked. */
import { type Question } from './question.ts'
import { chain } from './questions/chain.ts'
import { coldStart } from './questions/cold-start.ts'
import { connections } from './questions/connections.ts'
import { constants } from './questions/constants.ts'
import { delegate } from './questions/delegate.ts'
import { get } from './questions/get.ts'
import { growth } from './questions/growth.ts'
import { largeValues } from './questions/large-values.ts'
import { list } from './questions/list.ts'
import { manySpaces } from './questions/many-spaces.ts'
import { memory } from './questions/memory.ts'
import { micro } from './questions/micro.ts'
import { mixed } from './questions/mixed.ts'
import { oneConnection } from './questions/one-connection.ts'
import { put } from './questions/put.ts'
import { rate } from './questions/rate.ts'
import { saturation } from './questions/saturation.ts'
import { spaces } from './questions/spaces.ts'

export const QUESTIONS: readonly Question[] = [
  put,
  spaces,
  get,
  mixed,
  list,
  delegate,
  chain,
  oneConnection,
  connections,
  rate,
  saturation,
  largeValues,
  growth,
  manySpaces,
  memory,
  coldStart,
  micro,
  constants,
]

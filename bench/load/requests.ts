/** Signed tokens as requests. */
import { randomBytes } from 'node:crypto'
import { type LoadRequests } from './loader.ts'
import { LIST_KEYS, type LoadPlan, planRequest } from './plan.ts'

export interface SignedLoad {
  readonly plan: LoadPlan
  /** Number of the first request. */
  readonly from: number
  readonly tokens: readonly string[]
  readonly valueBytes: number
}

/** Bodies differ, so that equal contents do not hide the cost of storing them. */
export function createRequests({ plan, from, tokens, valueBytes }: SignedLoad): LoadRequests {
  const filler = randomBytes(valueBytes)
  return {
    length: tokens.length,
    at(index) {
      const { operation } = planRequest(from + index, plan)
      const authorization = tokens[index] ?? ''
      if (operation === 'delegate')
        return { path: '/delegate', headers: { authorization }, body: undefined }
      if (operation === 'put') {
        const body = Buffer.from(filler)
        if (valueBytes >= 8) body.writeDoubleLE(from + index + Math.random(), 0)
        const headers = { authorization, 'content-type': 'application/octet-stream' }
        return { path: '/invoke', headers, body }
      }
      const headers =
        operation === 'list'
          ? { authorization, 'x-tinycloud-limit': String(LIST_KEYS) }
          : { authorization }
      return { path: '/invoke', headers, body: undefined }
    },
  }
}

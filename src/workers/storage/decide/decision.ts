/** The outcome of deciding one command. A refusal has no effect at all. */
import { type Failure } from '../../../protocol/answer.ts'
import { type ErrorCode } from '../../../protocol/error.ts'

/** `T`: what the accepted command comes to; undefined where its effects follow from the command alone. */
export type Decision<T = undefined> =
  | { readonly kind: 'accept'; readonly outcome: T }
  | { readonly kind: 'refuse'; readonly failure: Failure }

export const refuse = (code: ErrorCode, detail = ''): { kind: 'refuse'; failure: Failure } => ({
  kind: 'refuse',
  failure: { code, detail },
})

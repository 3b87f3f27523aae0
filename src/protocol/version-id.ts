/**
 * The name of one version of a key: `‹seq›.‹index›`, the epoch of its space that wrote it and the place of its event in
 * it, both from 0. It says the same on every node that has the space's history, and nothing without a key.
 */
import { ProtocolError } from './error.ts'

export interface VersionId {
  /** Of the epoch, in its space. */
  readonly seq: number
  /** Of the event, in its epoch. */
  readonly epochSeq: number
}

/** Numbers without leading zeros; the longer one is below 2^53. */
const VERSION_ID = /^(0|[1-9]\d{0,14})\.(0|[1-9]\d{0,8})$/

export const formatVersionId = ({ seq, epochSeq }: VersionId): string => `${seq}.${epochSeq}`

/** Rule: HIST-1. @throws {ProtocolError} OPTION_INVALID, with `message` */
export function parseVersionId(text: string, message: string): VersionId {
  const [, seq, epochSeq] = VERSION_ID.exec(text) ?? []
  if (seq === undefined || epochSeq === undefined)
    throw new ProtocolError('OPTION_INVALID', message)
  return { seq: Number(seq), epochSeq: Number(epochSeq) }
}

export const isSameVersion = (a: VersionId, b: VersionId): boolean =>
  a.seq === b.seq && a.epochSeq === b.epochSeq

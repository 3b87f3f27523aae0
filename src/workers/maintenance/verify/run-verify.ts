/** `tinycloud verify`, inside its thread: locks if it must, checks everything, writes the quarantine, reports. */
import { dirname } from 'node:path'
import { openInspector, openQuarantine } from '../../database/open-inspector.ts'
import { sqliteCode } from '../../database/sqlite/connection.ts'
import { openProcessLock, type ProcessLock } from '../../database/sqlite/process-lock.ts'
import { StartFault } from '../../storage/request.ts'
import { EagerPacer } from '../pacer.ts'
import { type MaintenanceEvent, type VerifyOptions, type VerifyReport } from '../request.ts'
import { Findings } from './findings.ts'
import { SignatureChecks } from './signature-checks.ts'
import { verifyNode } from './verify-node.ts'

export interface VerifySurroundings {
  readonly post: (event: MaintenanceEvent) => void
  /** Unix seconds with fractions. */
  readonly nowS: () => number
  readonly nowMs: () => number
}

/** Progress is told this often at most. */
const PROGRESS_MS = 200

/** @throws {StartFault} when it cannot be done */
export async function runVerify(
  options: VerifyOptions,
  { post, nowS, nowMs }: VerifySurroundings,
): Promise<VerifyReport> {
  const startedMs = nowMs()
  const inspector = openInspector(options.database)
  const lock = tryLock(options)
  // Held only to write the quarantine: a node that starts meanwhile is no harm to a reader.
  if (!options.quarantine) lock?.close()
  try {
    const findings = new Findings()
    const signatures = new SignatureChecks(findings)
    let toldMs = -Infinity
    const { stored, reclaimable } = await verifyNode({
      inspector,
      root: options.blocks.path,
      findings,
      pacer: new EagerPacer(),
      signatures,
      withStructure: lock !== undefined,
      isServed: lock === undefined,
      blocksAfterNo: 0,
      onProgress: (phase, done, total) => {
        if (nowMs() - toldMs < PROGRESS_MS) return
        toldMs = nowMs()
        post({ kind: 'progress', phase, done, total })
      },
    })
    const isQuarantined = options.quarantine && lock !== undefined
    if (isQuarantined) await writeQuarantine(options, findings, nowS())
    return {
      checks: findings.results(),
      problems: findings.total,
      damages: findings.damages,
      reclaimable: { files: reclaimable.files, bytes: reclaimable.bytes },
      stored,
      unconfirmedSignatures: signatures.unconfirmed,
      isServed: lock === undefined,
      isQuarantined,
      elapsedMs: Math.round(nowMs() - startedMs),
    }
  } finally {
    inspector.close()
    lock?.close()
  }
}

/** Undefined: a node is running. */
function tryLock({ database, blocks }: VerifyOptions): ProcessLock | undefined {
  try {
    return openProcessLock([dirname(database.path), blocks.path])
  } catch (error) {
    if (error instanceof StartFault && sqliteCode(error.cause) === 'SQLITE_BUSY') return undefined
    throw error
  }
}

async function writeQuarantine(
  { database }: VerifyOptions,
  findings: Findings,
  nowS: number,
): Promise<void> {
  const opened = openQuarantine(database)
  try {
    await opened.quarantine.replace(findings.damages, nowS)
  } finally {
    opened.close()
  }
}

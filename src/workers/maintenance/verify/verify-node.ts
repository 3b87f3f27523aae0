/**
 * Checks everything that is stored: all rows, all blocks, all epochs and signatures, and that they agree. It holds no
 * lock and no long snapshot, so it may run beside a node; what changes meanwhile is read again, not reported.
 */
import { type DatabaseInspector } from '../../database/inspector.ts'
import { sqliteCode } from '../../database/sqlite/connection.ts'
import { type Pacer } from '../pacer.ts'
import { type StoredTotals, type VerifyPhase } from '../request.ts'
import { BlockChecks } from './block-checks.ts'
import { checkFiles, type Reclaimable } from './check-files.ts'
import { checkHistory } from './check-history.ts'
import { checkKept } from './check-kept.ts'
import { checkKeys } from './check-keys.ts'
import { checkPacks } from './check-packs.ts'
import { checkRights } from './check-rights.ts'
import { checkTotals } from './check-totals.ts'
import { type CheckContext } from './context.ts'
import { type Findings } from './findings.ts'
import { DisorderedRows } from './paging.ts'
import { type SignatureChecks } from './signature-checks.ts'
import { WalkState } from './walk-state.ts'

export interface VerifyPlan {
  readonly inspector: DatabaseInspector
  /** The blocks directory. */
  readonly root: string
  readonly findings: Findings
  readonly pacer: Pacer
  /** Undefined: signatures are left out. */
  readonly signatures: SignatureChecks | undefined
  /** Let the engine check its own pages, which takes one long snapshot for each table. */
  readonly withStructure: boolean
  /** A node is running beside. */
  readonly isServed: boolean
  /** Blocks of rows up to this id are left out. */
  readonly blocksAfterNo: number
  readonly onProgress: (phase: VerifyPhase, done: number, total: number) => void
  /** The blocks of all rows up to this id were read. */
  readonly onBlocksRead?: (afterNo: number) => void
}

export interface Verified {
  readonly stored: StoredTotals
  readonly reclaimable: Reclaimable
}

export async function verifyNode(plan: VerifyPlan): Promise<Verified> {
  const { inspector, root, findings, pacer, signatures, blocksAfterNo } = plan
  if (plan.withStructure) await runPhase(findings, 'structure', () => checkStructure(plan))
  let verified: Verified = NOTHING_VERIFIED
  await runPhase(findings, 'history', async () => {
    const state = new WalkState(await inspector.readBaseline())
    const blocks = new BlockChecks(root, pacer)
    try {
      verified = await verifyFrom(plan, {
        inspector,
        state,
        findings,
        blocks,
        pacer,
        signatures,
        blocksAfterNo,
      })
    } finally {
      blocks.close()
    }
  })
  return verified
}

const NOTHING_VERIFIED: Verified = {
  stored: { spaces: 0, keys: 0, statements: 0, packs: 0, objects: 0, readBytes: 0 },
  reclaimable: { files: 0, bytes: 0 },
}

/** Everything, up to the baseline of the state. */
async function verifyFrom(
  { root, isServed, onProgress, onBlocksRead }: VerifyPlan,
  context: CheckContext,
): Promise<Verified> {
  const { findings, state, blocks } = context
  const { keys, packs, statements, spaces } = state.baseline
  await runPhase(findings, 'history', async () => {
    await checkHistory(context, (afterNo) => {
      onProgress('history', state.statements, statements)
      onBlocksRead?.(afterNo)
    })
    await checkTotals(context)
  })
  await runPhase(findings, 'keys', async () => {
    await checkKeys(context, (done) => onProgress('keys', done, keys))
    await checkKept(context)
  })
  await runPhase(findings, 'rights', () => checkRights(context))
  await runPhase(findings, 'packs', () =>
    checkPacks(context, root, (done) => onProgress('packs', done, packs.length)),
  )
  let { reclaimable } = NOTHING_VERIFIED
  await runPhase(findings, 'files', async () => {
    reclaimable = await checkFiles(context, root, isServed)
  })
  return {
    stored: {
      spaces: spaces.length,
      keys,
      statements: state.statements,
      packs: packs.length,
      objects: state.liveObjects,
      readBytes: blocks.readBytes,
    },
    reclaimable,
  }
}

/** A phase that meets pages that cannot be read ends there; the others still tell what they find. */
async function runPhase(
  findings: Findings,
  name: VerifyPhase,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (sqliteCode(error) === undefined && !(error instanceof DisorderedRows)) throw error
    const reason = error instanceof Error ? error.message : String(error)
    findings.report(
      'structure',
      { kind: 'database', rowId: name },
      `the phase “${name}” could not be finished: ${reason}`,
    )
  }
}

async function checkStructure({ inspector, findings, onProgress }: VerifyPlan): Promise<void> {
  const { tables } = inspector
  for (const [done, table] of tables.entries()) {
    onProgress('structure', done, tables.length)
    findings.count('structure')
    for (const fault of await inspector.checkStructure(table))
      findings.report('structure', { kind: 'database', rowId: table }, fault)
  }
}

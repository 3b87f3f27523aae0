/** What every check works with. */
import { type DatabaseInspector } from '../../database/inspector.ts'
import { type Pacer } from '../pacer.ts'
import { type BlockChecks } from './block-checks.ts'
import { type Findings } from './findings.ts'
import { type SignatureChecks } from './signature-checks.ts'
import { type WalkState } from './walk-state.ts'

export interface CheckContext {
  readonly inspector: DatabaseInspector
  readonly state: WalkState
  readonly findings: Findings
  readonly blocks: BlockChecks
  readonly pacer: Pacer
  /** Undefined: signatures are left out. */
  readonly signatures: SignatureChecks | undefined
  /** Blocks of rows up to this id are left out: an earlier walk read them. */
  readonly blocksAfterNo: number
}

/** Verifies the data below a directory, in this process. */
import { openInspector } from '../../src/workers/database/open-inspector.ts'
import { EagerPacer } from '../../src/workers/maintenance/pacer.ts'
import { Findings } from '../../src/workers/maintenance/verify/findings.ts'
import { SignatureChecks } from '../../src/workers/maintenance/verify/signature-checks.ts'
import { type Verified, verifyNode } from '../../src/workers/maintenance/verify/verify-node.ts'
import { type UnconfirmedSignatures } from '../../src/workers/maintenance/request.ts'
import { type Damage } from '../../src/workers/storage/request.ts'
import { blocksOf, databaseOf } from './stored-node.ts'

export interface Verification extends Verified {
  readonly problems: number
  readonly damages: readonly Damage[]
  readonly unconfirmed: UnconfirmedSignatures
  /** How much was compared, by the name of the check. */
  readonly checked: Readonly<Record<string, number>>
}

export interface VerificationOptions {
  readonly withSignatures?: boolean
  readonly withStructure?: boolean
  readonly isServed?: boolean
}

export async function verifyDirectory(
  directory: string,
  { withSignatures = true, withStructure = false, isServed = false }: VerificationOptions = {},
): Promise<Verification> {
  const inspector = openInspector({ type: 'sqlite', path: databaseOf(directory) })
  const findings = new Findings()
  const signatures = new SignatureChecks(findings)
  try {
    const verified = await verifyNode({
      inspector,
      root: blocksOf(directory),
      findings,
      pacer: new EagerPacer(),
      signatures: withSignatures ? signatures : undefined,
      withStructure,
      isServed,
      blocksAfterNo: 0,
      onProgress: () => undefined,
    })
    return {
      ...verified,
      problems: findings.total,
      damages: findings.damages,
      unconfirmed: signatures.unconfirmed,
      checked: Object.fromEntries(findings.results().map(({ name, checked }) => [name, checked])),
    }
  } finally {
    inspector.close()
  }
}

/** Storage whose garbage is collected by hand, and a verification of what it leaves. */
import { openInspector } from '../../src/workers/database/open-inspector.ts'
import { EagerPacer } from '../../src/workers/maintenance/pacer.ts'
import { Findings } from '../../src/workers/maintenance/verify/findings.ts'
import { verifyNode } from '../../src/workers/maintenance/verify/verify-node.ts'
import { type Damage } from '../../src/workers/storage/request.ts'
import { storageOptions, type StorageUnderTest } from './storage-under-test.ts'

const STEPS_MAX = 300

/** Steps until there is nothing more to do at once. */
export async function tendToEnd({ storage }: Pick<StorageUnderTest, 'storage'>): Promise<void> {
  for (let step = 0; step < STEPS_MAX; step++) if (!(await storage.actor.tend())) return
  throw new Error('tending comes to no end')
}

/** What `tinycloud verify` finds in a directory whose storage is closed, without what follows from unsigned tokens. */
export async function verifyStored(directory: string): Promise<readonly Damage[]> {
  const { database, blocks } = storageOptions(directory)
  const inspector = openInspector(database)
  const findings = new Findings()
  try {
    await verifyNode({
      inspector,
      root: blocks.path,
      findings,
      pacer: new EagerPacer(),
      signatures: undefined,
      withStructure: true,
      isServed: false,
      blocksAfterNo: 0,
      onProgress: () => undefined,
    })
  } finally {
    inspector.close()
  }
  return findings.damages.filter(({ reason }) => !/^(token|delegation): /.test(reason))
}

/** Random commands that collide: few keys, few spaces, repeated invocations, chains that get revoked. */
import { blake3 } from '../../src/protocol/crypto/blake3.ts'
import {
  type DelegateCommand,
  type MutateCommand,
  type Operation,
  type Precondition,
  type ReliedDelegation,
  type StorageCommand,
} from '../../src/workers/storage/request.ts'
import { type Random } from '../_util/random.ts'
import {
  again,
  deleteOf,
  delegation,
  mutation,
  putOf,
  relianceOn,
  revocation,
  spaceNamed,
} from '../_util/storage-commands.ts'

export const SPACES: readonly string[] = [spaceNamed('one'), spaceNamed('two')]
export const KEYS: readonly string[] = ['a', 'a/b', 'b', 'c']
/** An invocation lives so long at most. */
const LIFETIME_S = 300
const VALUES = ['', 'x', 'y'.repeat(700), 'z'.repeat(3000)]

export interface Workload {
  /** The commands of one group, of clients whose clock says `nowS`. */
  next(nowS: number): StorageCommand[]
  /** Values that were staged for the group: to be there as files before it is sent. */
  readonly staged: Map<number, Uint8Array>
}

export function createWorkload(random: Random): Workload {
  const staged = new Map<number, Uint8Array>()
  const delegations: { command: DelegateCommand; reliance: ReliedDelegation }[] = []
  const invocations: MutateCommand[] = []
  let stagingNo = 0
  let nowS = 0

  const operation = (): Operation => {
    const key = random.pick(KEYS)
    const kind = random.below(10)
    if (kind < 3) return deleteOf(key)
    const value = random.pick(VALUES)
    if (kind < 8) return putOf(key, value)
    const bytes = random.bytes(2000)
    stagingNo += 1
    staged.set(stagingNo, bytes)
    const large = { kind: 'staged', stagingNo, segments: blake3(bytes) } as const
    return {
      ...putOf(key, bytes),
      kind: 'put',
      digest: blake3(bytes),
      valueBytes: 2000,
      headers: '[]',
      value: large,
    }
  }
  const precondition = (): Precondition => {
    const kind = random.below(6)
    if (kind === 0) return { kind: 'absent' }
    if (kind === 1) return { kind: 'matches', digest: blake3(Buffer.from(random.pick(VALUES))) }
    return { kind: 'none' }
  }
  const mutate = (): MutateCommand => {
    const old =
      random.below(8) === 0 && invocations.length > 0 ? random.pick(invocations) : undefined
    // A staged file is there once; the repeated command brings small values again.
    if (old && !old.operations.some((each) => each.kind === 'put' && each.value.kind === 'staged'))
      return again(old)
    const count = random.below(6) === 0 ? 2 : 1
    const operations = Array.from({ length: count }, () => ({ ...operation(), spaceIndex: 0 }))
    const relies =
      random.below(3) === 0 && delegations.length > 0 ? [random.pick(delegations).reliance] : []
    const command = mutation(operations, {
      spaces: [random.pick(SPACES)],
      relies,
      expiresAtS: nowS + 1 + random.below(LIFETIME_S),
      precondition: count === 1 ? precondition() : { kind: 'none' },
    })
    invocations.push(command)
    return command
  }
  const delegate = (): DelegateCommand => {
    if (random.below(4) === 0 && delegations.length > 0)
      return again(random.pick(delegations).command)
    const parent =
      random.below(2) === 0 && delegations.length > 0 ? random.pick(delegations) : undefined
    const spaces = random.below(3) === 0 ? SPACES : [random.pick(SPACES)]
    const isDeep = (parent?.reliance.closure.length ?? 0) > 10
    const relies = parent && !isDeep ? [parent.reliance] : []
    const command = delegation({ spaces, hosts: random.below(3) === 0 ? spaces : [], relies })
    delegations.push({ command, reliance: relianceOn(command, relies) })
    return command
  }
  const command = (): StorageCommand => {
    const kind = random.below(10)
    if (kind < 7) return mutate()
    if (kind < 9 || delegations.length === 0) return delegate()
    return revocation(random.pick(delegations).command)
  }
  return {
    staged,
    next: (now) => {
      nowS = now
      return Array.from({ length: 1 + random.below(5) }, command)
    },
  }
}

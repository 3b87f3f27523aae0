/** Commands that wait for the actor, handed out in groups in the order of arrival. */
import { type StorageCommand } from './request.ts'

/** Commands of one group at most: more would only delay the first of them. */
export const GROUP_COMMANDS_MAX = 256
/** Bytes that one group appends to a pack at most, unless a single command brings more. */
export const GROUP_BYTES_MAX: number = 8 * 1024 * 1024
/** What makes a group full. */
export interface GroupLimits {
  readonly commandsMax: number
  readonly bytesMax: number
}

/** More commands gain a tenth and make a group five times as long, more bytes gain nothing (bench, `constants`). */
export const GROUP_LIMITS: GroupLimits = {
  commandsMax: GROUP_COMMANDS_MAX,
  bytesMax: GROUP_BYTES_MAX,
}

/** Commands that wait at most. Main's budget is smaller: only a bug gets here. */
export const MAILBOX_COMMANDS_MAX = 65_536

export class Mailbox {
  readonly #limits: GroupLimits
  #commands: StorageCommand[] = []

  constructor(limits: GroupLimits) {
    this.#limits = limits
  }

  get length(): number {
    return this.#commands.length
  }

  /** Taken. False: there is no room for them. */
  put(commands: readonly StorageCommand[]): boolean {
    if (this.#commands.length + commands.length > MAILBOX_COMMANDS_MAX) return false
    for (const command of commands) this.#commands.push(command)
    return true
  }

  /** The next group; empty when nothing waits. */
  takeGroup(): StorageCommand[] {
    const { commandsMax, bytesMax } = this.#limits
    let count = 0
    let groupBytes = 0
    for (const command of this.#commands) {
      groupBytes += packedBytes(command)
      if (count === commandsMax || (count > 0 && groupBytes > bytesMax)) break
      count += 1
    }
    return this.#commands.splice(0, count)
  }
}

/** Bytes that a command appends to a pack. */
function packedBytes(command: StorageCommand): number {
  if (command.kind === 'alias' || command.kind === 'sign') return 0
  let bytes = command.tokenSection.length
  if (command.kind !== 'mutate') return bytes
  for (const operation of command.operations) {
    bytes += operation.operationSection.length
    if (operation.kind === 'put' && operation.value.kind === 'packed')
      bytes += operation.value.section.length
  }
  return bytes
}

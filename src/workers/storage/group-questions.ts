/** What the commands of a group need to know, asked once: the input of Load (DESIGN §4, step 1). */
import { type ChainLink } from '../../protocol/authority.ts'
import { toLatin1 } from '../../protocol/bytes.ts'
import { type GroupQuestions } from '../database/transactor.ts'
import { type ReliedDelegation, type StorageCommand } from './request.ts'

/** A map key for a key of a space. */
export const keyText = (space: string | number, key: Uint8Array): string =>
  `${space} ${toLatin1(key)}`

export const replayText = (expiresAtS: number, statementId: Uint8Array): string =>
  `${expiresAtS} ${toLatin1(statementId)}`

/** Collects questions without repeating one. */
class Questions {
  readonly #spaces = new Map<string, number>()
  readonly #keys = new Map<string, { spaceIndex: number; key: Uint8Array }>()
  readonly #replays = new Map<string, { expiresAtS: number; statementId: Uint8Array }>()
  readonly #delegations = new Map<string, Uint8Array>()
  readonly #links = new Map<string, ChainLink>()
  /** Spaces for which a URL is signed. */
  readonly #signed = new Set<number>()

  space(space: string): number {
    const known = this.#spaces.get(space)
    if (known !== undefined) return known
    this.#spaces.set(space, this.#spaces.size)
    return this.#spaces.size - 1
  }

  key(space: string, key: Uint8Array): void {
    const spaceIndex = this.space(space)
    this.#keys.set(keyText(spaceIndex, key), { spaceIndex, key })
  }

  replay(expiresAtS: number, statementId: Uint8Array): void {
    this.#replays.set(replayText(expiresAtS, statementId), { expiresAtS, statementId })
  }

  delegation(statementId: Uint8Array): void {
    this.#delegations.set(toLatin1(statementId), statementId)
  }

  link(link: ChainLink): void {
    this.#links.set(toLatin1(link.statementId), link)
  }

  tickets(space: string): void {
    this.#signed.add(this.space(space))
  }

  relies(relies: readonly ReliedDelegation[]): void {
    for (const { closure } of relies) for (const link of closure) this.link(link)
  }

  finish(): GroupQuestions {
    return {
      spaces: [...this.#spaces.keys()],
      keys: [...this.#keys.values()],
      replays: [...this.#replays.values()],
      delegations: [...this.#delegations.values()],
      links: [...this.#links.values()],
      tickets: this.#signed.size === 0 ? undefined : [...this.#signed],
    }
  }
}

/** Borrowed: the answer refers to the bytes of the commands. */
export function questionsOf(commands: readonly StorageCommand[]): GroupQuestions {
  const questions = new Questions()
  for (const command of commands) {
    for (const space of command.spaces) questions.space(space)
    switch (command.kind) {
      case 'mutate':
        questions.relies(command.relies)
        questions.replay(command.expiresAtS, command.statementId)
        for (const { spaceIndex, key } of command.operations)
          questions.key(command.spaces[spaceIndex] ?? '', key)
        break
      case 'delegate':
        questions.relies(command.relies)
        questions.delegation(command.statementId)
        break
      case 'alias':
        questions.delegation(command.statementId)
        break
      case 'revoke':
        questions.relies(command.relies)
        questions.delegation(command.target.statementId)
        questions.link(command.target)
        break
      case 'sign':
        questions.relies(command.relies)
        questions.tickets(command.spaces[command.spaceIndex] ?? '')
        break
    }
  }
  return questions.finish()
}

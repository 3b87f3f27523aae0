/** A disk and a database that fail when they are told to, once, and are the real ones otherwise. */
import Database from 'better-sqlite3'
import { type FileSystem, NODE_FILE_SYSTEM } from '../../src/workers/blocks/file-system.ts'
import {
  type Database as NodeDatabase,
  openDatabase,
} from '../../src/workers/database/open-database.ts'
import { type Transactor } from '../../src/workers/database/transactor.ts'
import { type DatabaseOptions } from '../../src/workers/storage/request.ts'

export const systemError = (code: string): Error =>
  Object.assign(new Error(`${code}: told to fail`), { code })

export const sqliteError = (code: string): Error => new Database.SqliteError('told to fail', code)

type Call = keyof FileSystem
type Step = keyof Transactor

interface Orders<Name extends string> {
  /** The next call of this name throws; `after` it was done for real. */
  fail(name: Name, error: Error, when?: 'before' | 'after'): void
  /** Something to do instead of failing, right before the next call of this name. */
  before(name: Name, action: () => void): void
}

class Plan<Name extends string> implements Orders<Name> {
  readonly #orders = new Map<string | symbol, { when: 'before' | 'after'; act: () => void }>()

  fail(name: Name, error: Error, when: 'before' | 'after' = 'before'): void {
    this.#orders.set(name, {
      when,
      act: () => {
        throw error
      },
    })
  }

  before(name: Name, act: () => void): void {
    this.#orders.set(name, { when: 'before', act })
  }

  /** A stand-in for `target` that follows the orders. */
  wrap<T extends object>(target: T): T {
    return new Proxy(target, {
      get: (_, property) => {
        const member: unknown = Reflect.get(target, property)
        if (typeof member !== 'function') return member
        return (...args: unknown[]): unknown => {
          const order = this.#orders.get(property)
          this.#orders.delete(property)
          if (order?.when === 'before') order.act()
          const result: unknown = Reflect.apply(member, target, args)
          if (order?.when === 'after') order.act()
          return result
        }
      },
    })
  }
}

export interface FaultyFiles extends Orders<Call> {
  readonly files: FileSystem
  /** The next write takes only part of its bytes and throws nothing: a disk that is filling up. */
  writeShort(): void
}

export function createFaultyFiles(): FaultyFiles {
  const plan = new Plan<Call>()
  let isShort = false
  const writevSync: FileSystem['writevSync'] = (descriptor, parts, position) => {
    if (!isShort) return NODE_FILE_SYSTEM.writevSync(descriptor, parts, position)
    isShort = false
    const [first] = parts
    if (!first) return 0
    const bytes = Buffer.from(first.buffer, first.byteOffset, first.byteLength)
    return NODE_FILE_SYSTEM.writevSync(descriptor, [bytes.subarray(0, 10)], position)
  }
  return {
    files: plan.wrap({ ...NODE_FILE_SYSTEM, writevSync }),
    fail: (...order) => {
      plan.fail(...order)
    },
    before: (...order) => {
      plan.before(...order)
    },
    writeShort: () => {
      isShort = true
    },
  }
}

export interface FaultyDatabase extends Orders<Step> {
  readonly open: (options: DatabaseOptions) => NodeDatabase
}

export function createFaultyDatabase(): FaultyDatabase {
  const plan = new Plan<Step>()
  return {
    open: (options) => {
      const { transactor, ...rest } = openDatabase(options)
      return { transactor: plan.wrap(transactor), ...rest }
    },
    fail: (...order) => {
      plan.fail(...order)
    },
    before: (...order) => {
      plan.before(...order)
    },
  }
}

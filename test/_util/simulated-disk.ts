/**
 * A disk that loses power. Calls go to real files; beside them it keeps what a power loss would leave: the bytes of each
 * file at its last sync, and the names of each directory at the sync of that directory. Whatever came after may be there,
 * or not, or torn, as a seed decides.
 *
 * Only files below the root that were made through it, or told to it, are known.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { type FileSystem, NODE_FILE_SYSTEM } from '../../src/workers/blocks/file-system.ts'
import { type Random } from './random.ts'

/** Bytes of which a torn write keeps all or none. */
const SECTOR_BYTES = 512

interface SimulatedFile {
  /** Where it is now, to read what it holds. */
  path: string
  durable: Buffer
}

type Entry = SimulatedFile | 'directory'
type Names = Map<string, Entry>

export class SimulatedDisk {
  readonly root: string
  readonly files: FileSystem
  readonly #now = new Map<string, Names>()
  readonly #durable = new Map<string, Names>()
  readonly #descriptors = new Map<number, string>()

  /** `root` exists and is empty. */
  constructor(root: string) {
    this.root = root
    this.#now.set(root, new Map())
    this.#durable.set(root, new Map())
    this.files = { ...NODE_FILE_SYSTEM, ...this.#writers(), ...this.#namers() }
  }

  /** A synced file that somebody else made, its name not synced. */
  addFile(path: string, bytes: Uint8Array): void {
    writeFileSync(path, bytes)
    this.#namesOf(dirname(path)).set(basename(path), { path, durable: Buffer.from(bytes) })
  }

  /**
   * What the next process finds, at a new root. Only this process is gone: nothing is lost yet, and what was not synced
   * is still not. Power is lost: what is found is all there is.
   */
  crash(root: string, random: Random, isPowerLost: boolean): SimulatedDisk {
    mkdirSync(root, { recursive: true })
    const next = new SimulatedDisk(root)
    this.#copy(this.root, next, root, isPowerLost ? random : undefined)
    return next
  }

  /** What the process had open is closed with it. */
  closeAll(): void {
    for (const descriptor of this.#descriptors.keys()) NODE_FILE_SYSTEM.closeSync(descriptor)
    this.#descriptors.clear()
  }

  /** `random`: what of a power loss is left; undefined: the power stays on. */
  #copy(from: string, next: SimulatedDisk, to: string, random: Random | undefined): void {
    mkdirSync(to, { recursive: true })
    const now = this.#now.get(from) ?? new Map<string, Entry>()
    const durable = this.#durable.get(from) ?? new Map<string, Entry>()
    const [nextNow, nextDurable] = [new Map<string, Entry>(), new Map<string, Entry>()]
    next.#now.set(to, nextNow)
    next.#durable.set(to, nextDurable)
    for (const name of new Set([...now.keys(), ...durable.keys()])) {
      const found = random && random.below(2) === 0 ? durable.get(name) : now.get(name)
      if (found === undefined) continue
      const path = join(to, name)
      if (found === 'directory') {
        this.#copy(join(from, name), next, path, random)
        nextNow.set(name, found)
        if (random || durable.has(name)) nextDurable.set(name, found)
        continue
      }
      const left = random && this.#tornBytes(found, random)
      writeFileSync(path, left ?? readIfThere(found.path) ?? found.durable)
      const file = { path, durable: left ?? found.durable }
      nextNow.set(name, file)
      if (random || durable.get(name) === found) nextDurable.set(name, file)
    }
  }

  #tornBytes({ path, durable }: SimulatedFile, random: Random): Buffer {
    const now = readIfThere(path) ?? durable
    const lengthBytes = random.pick([
      now.length,
      durable.length,
      Math.max(now.length, durable.length),
    ])
    const bytes = Buffer.alloc(lengthBytes)
    for (let offset = 0; offset < lengthBytes; offset += SECTOR_BYTES) {
      const source = random.below(2) === 0 ? now : durable
      if (offset < source.length)
        source.copy(bytes, offset, offset, Math.min(offset + SECTOR_BYTES, source.length))
    }
    return bytes
  }

  #namesOf(directory: string): Names {
    const names = this.#now.get(directory)
    if (!names) throw new Error(`the disk does not know ${relative(this.root, directory)}`)
    return names
  }

  #fileAt(path: string): SimulatedFile {
    const file = this.#namesOf(dirname(path)).get(basename(path))
    if (file === undefined || file === 'directory') throw new Error(`no file ${path}`)
    return file
  }

  #sync(descriptor: number): void {
    const path = this.#descriptors.get(descriptor) ?? ''
    const names = this.#now.get(path)
    if (names) this.#durable.set(path, new Map(names))
    else if (path.startsWith(`${this.root}/`)) this.#fileAt(path).durable = readFileSync(path)
  }

  #writers(): Pick<FileSystem, 'openSync' | 'closeSync' | 'fdatasyncSync' | 'fsyncSync'> {
    return {
      openSync: (path, flags, mode) => {
        const descriptor = NODE_FILE_SYSTEM.openSync(path, flags, mode)
        const text = String(path)
        this.#descriptors.set(descriptor, text)
        if (flags === 'wx')
          this.#namesOf(dirname(text)).set(basename(text), { path: text, durable: Buffer.alloc(0) })
        return descriptor
      },
      closeSync: (descriptor) => {
        this.#descriptors.delete(descriptor)
        NODE_FILE_SYSTEM.closeSync(descriptor)
      },
      fdatasyncSync: (descriptor) => {
        this.#sync(descriptor)
      },
      fsyncSync: (descriptor) => {
        this.#sync(descriptor)
      },
    }
  }

  readonly #mkdir: FileSystem['mkdirSync'] = (path: unknown): undefined => {
    const text = String(path)
    NODE_FILE_SYSTEM.mkdirSync(text)
    this.#namesOf(dirname(text)).set(basename(text), 'directory')
    this.#now.set(text, new Map())
  }

  #namers(): Pick<FileSystem, 'renameSync' | 'unlinkSync' | 'mkdirSync' | 'rmdirSync' | 'rmSync'> {
    return {
      renameSync: (from, to) => {
        NODE_FILE_SYSTEM.renameSync(from, to)
        const [source, target] = [String(from), String(to)]
        const file = this.#fileAt(source)
        this.#namesOf(dirname(source)).delete(basename(source))
        file.path = target
        this.#namesOf(dirname(target)).set(basename(target), file)
      },
      unlinkSync: (path) => {
        NODE_FILE_SYSTEM.unlinkSync(path)
        this.#namesOf(dirname(String(path))).delete(basename(String(path)))
      },
      mkdirSync: this.#mkdir,
      rmdirSync: (path) => {
        NODE_FILE_SYSTEM.rmdirSync(path)
        this.#namesOf(dirname(String(path))).delete(basename(String(path)))
        this.#now.delete(String(path))
      },
      rmSync: (path, options) => {
        NODE_FILE_SYSTEM.rmSync(path, options)
        this.#namesOf(dirname(String(path))).delete(basename(String(path)))
        for (const known of this.#now.keys())
          if (known === String(path) || known.startsWith(`${String(path)}/`))
            this.#now.delete(known)
      },
    }
  }
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

import { openSecretFile, parseSecret } from '../../../src/main/config/secrets.ts'
import { catchFault } from '../../_util/start-fault.ts'
import { useTemporaryDirectory } from '../../_util/temporary-directory.ts'

const directory = useTemporaryDirectory()

const path = (): string => join(directory(), 'secret')

const encode = (text: string): string => Buffer.from(text).toString('base64url')
const PUBLISHED = encode('Some long piece of entropy which is a secret and more than 32 bytes')

describe('parseSecret', () => {
  it('takes base64url without padding of at least 32 bytes, as an exact copy', () => {
    const secret = parseSecret(encode('a'.repeat(32)), 'keys.secret')
    expect(Buffer.from(secret).toString()).toBe('a'.repeat(32))
    expect(secret.buffer.byteLength).toBe(32)
    expect(parseSecret(encode('a'.repeat(4096)), 'keys.secret')).toHaveLength(4096)
  })

  it.each([
    ['31 bytes', encode('a'.repeat(31)), 'It has 31 bytes; at least 32 are needed.'],
    ['nothing', '', 'It has 0 bytes'],
    ['4097 bytes', encode('a'.repeat(4097)), 'at most 4096'],
    ['padding', `${encode('a'.repeat(32))}=`, 'without padding'],
    ['the alphabet of base64', `${'+'.repeat(42)}w`, 'without padding'],
    ['a line end', `${encode('a'.repeat(32))}\n`, 'without padding'],
    ['stray bits', 'B'.repeat(43), 'without padding'],
    ['the published example', PUBLISHED, 'published'],
  ])('refuses %s, with a remedy and without the secret', (_name, text, why) => {
    const fault = catchFault(() => parseSecret(text, 'keys.secret'))
    expect(fault.what).toBe('The secret in keys.secret cannot be used')
    expect(fault.why).toContain(why)
    expect(fault.remedy).toContain("randomBytes(32).toString('base64url')")
    // Of an empty secret there is nothing that could show.
    expect(JSON.stringify(fault)).not.toContain(text.trim() || 'B'.repeat(43))
  })
})

describe('openSecretFile', () => {
  it('generates 32 random bytes for the owner alone, and gives them again', () => {
    const first = openSecretFile(path())
    expect(first).toMatchObject({ isNew: true, isExposed: false })
    expect(first.secret).toHaveLength(32)
    expect(statSync(path()).mode & 0o777).toBe(0o600)
    expect(readdirSync(directory())).toEqual(['secret'])

    const second = openSecretFile(path())
    expect(second).toEqual({ secret: first.secret, isNew: false, isExposed: false })
  })

  it('holds the text that keys.secret takes', () => {
    const { secret } = openSecretFile(path())
    expect(parseSecret(readFileSync(path(), 'utf8').trimEnd(), 'keys.secret')).toEqual(secret)
  })

  it('reads one that a person wrote, with or without a line end', () => {
    writeFileSync(path(), `${encode('b'.repeat(40))}\r\n`)
    expect(Buffer.from(openSecretFile(path()).secret).toString()).toBe('b'.repeat(40))
  })

  it('never replaces a file that is no secret', () => {
    for (const [text, why] of [
      ['', 'It has 0 bytes'],
      ['too short', 'not base64url'],
      [PUBLISHED, 'published'],
      ['a'.repeat(10_000), 'it has 10000 bytes'],
    ] as const) {
      writeFileSync(path(), text)
      const fault = catchFault(() => openSecretFile(path()))
      expect(fault.why).toContain(why)
      expect(fault.what).toContain(path())
      expect(readFileSync(path(), 'utf8')).toBe(text)
    }
  })

  it('says when other users can read it', () => {
    openSecretFile(path())
    chmodSync(path(), 0o640)
    expect(openSecretFile(path()).isExposed).toBe(true)
  })

  it('names the file and the reason when it cannot be opened', () => {
    mkdirSync(path())
    const fault = catchFault(() => openSecretFile(path()))
    expect(fault.what).toContain(path())
    expect(fault.why).toContain('EISDIR')
    const missing = catchFault(() => openSecretFile(join(directory(), 'missing/secret')))
    expect(missing.why).toContain('ENOENT')
  })

  it('of several processes that start at once one creates it, and all read the same', async () => {
    const program = `
      import { openSecretFile } from ${JSON.stringify(new URL('../../../src/main/config/secrets.ts', import.meta.url).href)}
      const { secret, isNew } = openSecretFile(process.argv[1])
      process.stdout.write(Buffer.from(secret).toString('hex') + (isNew ? ' new' : ' read'))`
    const run = promisify(execFile)
    const outputs = await Promise.all(
      Array.from({ length: 6 }, () =>
        run(process.execPath, ['--input-type=module', '-e', program, path()]),
      ),
    )
    const results = outputs.map(({ stdout }) => stdout.split(' '))
    expect(new Set(results.map(([secret]) => secret)).size).toBe(1)
    expect(results.filter(([, how]) => how === 'new')).toHaveLength(1)
    expect(readdirSync(directory())).toEqual(['secret'])
  })
})

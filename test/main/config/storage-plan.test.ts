import { describe, expect, it } from 'vitest'

import { planStorage, type StoragePlan } from '../../../src/main/config/storage-plan.ts'

interface Written {
  datadir?: string
  database?: string
  blocks?: string
}

const plan = ({ datadir, database, blocks }: Written): StoragePlan =>
  planStorage(
    {
      'storage.datadir': datadir ?? null,
      'storage.database': database ?? null,
      'storage.blocks.path': blocks ?? null,
    },
    '/srv',
  )

const kept = (dataDirectory: string, databasePath: string, blocksPath: string): StoragePlan => ({
  kind: 'kept',
  dataDirectory,
  databasePath,
  blocksPath,
})

describe('where data lives', () => {
  it('nowhere, with neither data directory nor database', () => {
    expect(plan({})).toEqual({ kind: 'temporary' })
  })

  it('under the data directory, relative to the working directory', () => {
    expect(plan({ datadir: './data' })).toEqual(
      kept('/srv/data', '/srv/data/caps.db', '/srv/data/blocks'),
    )
    expect(plan({ datadir: '/var/lib/t' })).toEqual(
      kept('/var/lib/t', '/var/lib/t/caps.db', '/var/lib/t/blocks'),
    )
  })

  it('the data directory roots defaults only: written paths are relative to the working directory', () => {
    expect(plan({ datadir: 'data', database: 'sqlite:x/y.db', blocks: 'b' })).toEqual(
      kept('/srv/data', '/srv/x/y.db', '/srv/b'),
    )
  })

  it('beside a written SQLite file when there is no data directory', () => {
    expect(plan({ database: 'tinycloud/caps.db' })).toEqual(
      kept('/srv/tinycloud', '/srv/tinycloud/caps.db', '/srv/tinycloud/blocks'),
    )
    expect(plan({ database: 'sqlite:caps.db', blocks: '/b' })).toEqual(
      kept('/srv', '/srv/caps.db', '/b'),
    )
  })

  it.each([
    'sqlite::memory:',
    'sqlite://:memory:',
    'SQLITE::memory:',
    ':memory:',
    'sqlite:x?mode=memory',
  ])('nowhere with %s, even if there is a data directory', (database) => {
    expect(plan({ database })).toEqual({ kind: 'temporary' })
    expect(plan({ database, datadir: 'data' })).toEqual({ kind: 'temporary' })
  })

  it('blocks that are to be kept beside a database that is not are refused', () => {
    for (const database of [undefined, 'sqlite::memory:'])
      expect(() => plan({ blocks: 'b', ...(database === undefined ? {} : { database }) })).toThrow(
        /storage\.blocks\.path: the database is sqlite::memory:/,
      )
  })
})

describe('the database', () => {
  it.each([
    ['sqlite:a.db', '/srv/a.db'],
    ['sqlite://a.db', '/srv/a.db'],
    ['sqlite:///a/b.db', '/a/b.db'],
    ['sqlite:/a/b.db', '/a/b.db'],
    ['sqlite:a.db?mode=rwc', '/srv/a.db'],
    ['sqlite:a.db?mode=rw', '/srv/a.db'],
    ['sqlite:a%20b.db', '/srv/a b.db'],
    ['a%20b.db', '/srv/a%20b.db'],
    ['./c:d.db', '/srv/c:d.db'],
  ])('%s is the file %s', (database, path) => {
    expect(plan({ database })).toMatchObject({ kind: 'kept', databasePath: path })
  })

  it.each([
    'postgres://u:hunter2@h/d',
    'postgresql://u:hunter2@h/d',
    'MySQL://u:hunter2@h/d',
    'mariadb://u:hunter2@h',
  ])('%s comes later, and its password is not repeated', (database) => {
    expect(() => plan({ database })).toThrow(/come with a later version/)
    expect(() => plan({ database })).not.toThrow(/hunter2/)
  })

  it.each([
    'mongodb://u:hunter2@h/d',
    'sqlite:',
    'sqlite://',
    'sqlite:a.db?mode=ro',
    'sqlite:a.db?cache=shared',
    'sqlite:a.db?mode=rwc&immutable=1',
    'sqlite:a.db?',
    'sqlite:%zz.db',
  ])('%s is refused', (database) => {
    expect(() => plan({ database })).toThrow(/^storage\.database: /)
    expect(() => plan({ database })).not.toThrow(/hunter2/)
  })
})

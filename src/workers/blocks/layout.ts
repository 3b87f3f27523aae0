/**
 * Where files lie in the blocks directory. Every name is a number that was given once, so no path is ever built from
 * what a client chose, and no two writers ever mean the same file (DESIGN §4, §7.18).
 *
 *   packs/‹run›/‹n›.car            a pack: CARv1 (packs/pack-file.ts)
 *   objects/‹run›/‹n ÷ 4096›/‹n›   a large value, its bytes and nothing else
 *   staging/‹run›/‹n›              an upload under way; emptied at start
 */
import { join } from 'node:path'
import { counterOfRowId, runOfRowId } from '../database/row-id.ts'

/** Files of one directory of objects: directories stay quick to search, and few. */
export const OBJECTS_PER_DIRECTORY = 4096

export const packsDirectory = (root: string): string => join(root, 'packs')
export const objectsDirectory = (root: string): string => join(root, 'objects')
export const stagingDirectory = (root: string): string => join(root, 'staging')

export const packDirectory = (root: string, packNo: number): string =>
  join(packsDirectory(root), String(runOfRowId(packNo)))

export const packPath = (root: string, packNo: number): string =>
  join(packDirectory(root, packNo), `${counterOfRowId(packNo)}.car`)

export const objectDirectory = (root: string, objectNo: number): string =>
  join(
    objectsDirectory(root),
    String(runOfRowId(objectNo)),
    String(Math.floor(counterOfRowId(objectNo) / OBJECTS_PER_DIRECTORY)),
  )

export const objectPath = (root: string, objectNo: number): string =>
  join(objectDirectory(root, objectNo), String(counterOfRowId(objectNo)))

export const stagingRunDirectory = (root: string, runNo: number): string =>
  join(stagingDirectory(root), String(runNo))

export const stagingPath = (root: string, runNo: number, stagingNo: number): string =>
  join(stagingRunDirectory(root, runNo), String(stagingNo))

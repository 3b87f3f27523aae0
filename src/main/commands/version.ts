/** `tinycloud version`: what to write into a bug report. */
import { readVersion } from '../version.ts'
import { type Command, EXIT } from './command.ts'

export const version: Command = (_args, { writeLine }) => {
  const { platform, arch, version: nodeVersion } = process
  writeLine(`tinycloud ${readVersion()} (Node ${nodeVersion.slice(1)}, ${platform} ${arch})`)
  return EXIT.ok
}

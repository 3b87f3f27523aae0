#!/usr/bin/env node
/**
 * Process entry. It imports nothing statically, so that the check of the Node version runs before a line that an older
 * one cannot read.
 */
const NODE_FLOOR = { major: 22, minor: 19 }

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const isSupported =
  major > NODE_FLOOR.major || (major === NODE_FLOOR.major && minor >= NODE_FLOOR.minor)

if (isSupported) {
  const { runCommand } = await import('./commands/run-command.ts')
  process.exitCode = await runCommand(process.argv.slice(2))
} else {
  process.stderr.write(
    [
      `tinycloud needs Node ${NODE_FLOOR.major}.${NODE_FLOOR.minor} or newer (24 is recommended); this is ${process.versions.node}.`,
      'In its directory `npm ci` installs a Node 24 on Linux, which `npm start` then uses.',
      'Elsewhere install one from https://nodejs.org and try again.',
      '',
    ].join('\n'),
  )
  process.exitCode = 1
}

/** `tinycloud help`: commands and settings. */
import { describeSettings, type SettingDescription } from '../config/describe.ts'
import { type Command, EXIT } from './command.ts'

const USAGE = `tinycloud: a self-hosted node of the TinyCloud Protocol

  tinycloud [serve]              run the node
  tinycloud demo [URL]           prove that a running node works: host, put, get, share, revoke
           [--verbose]           and show what goes over the wire
  tinycloud verify [--json]      check everything that is stored, beside a running node or on a stopped one
           [--quarantine]        and write down what is broken, if the node is stopped
  tinycloud version              print the version
  tinycloud help                 print this

Settings come from tinycloud.toml (the nearest one, or TINYCLOUD_CONFIG_FILE) and from variables, which win:
`

export const help: Command = (_args, { writeLine }) => {
  writeLine(USAGE)
  for (const setting of describeSettings()) writeLine(formatSetting(setting))
  return EXIT.ok
}

function formatSetting({
  key,
  variable,
  default: value,
  unit,
  choices,
  doc,
}: SettingDescription): string {
  const details = [
    ...(choices.length > 1 ? [`one of ${choices.join(', ')}`] : []),
    `default: ${value}${unit === undefined ? '' : ` ${unit}`}`,
  ]
  return [`  ${key}`, `      ${doc}`, `      ${variable}; ${details.join('; ')}`].join('\n')
}

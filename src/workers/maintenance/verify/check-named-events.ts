/** Delegations and revocations are events of the spaces that they name, of each that was hosted when they came. */
import { type SoundCommand } from './check-command.ts'
import { type CheckContext } from './context.ts'

/** `named`: space ids, each once. */
export function checkNamedEvents(
  { findings, state }: CheckContext,
  { statement, events }: SoundCommand,
  named: readonly string[],
): void {
  const subject = { kind: 'statement', rowId: statement.statementNo } as const
  const left = new Map(events.map((event) => [event.spaceNo, event]))
  for (const spaceId of named) {
    const space = state.spaceById(spaceId)
    const isEvent = space !== undefined && left.delete(space.row.spaceNo)
    // A space has epochs from the moment at which it is hosted.
    if (space && !isEvent && space.nextSeq > 0)
      findings.report('event', subject, `it is no event of space ${space.row.spaceNo}`)
  }
  for (const { eventNo, spaceNo } of left.values())
    findings.report(
      'event',
      { kind: 'event', rowId: eventNo },
      `its statement does not name space ${spaceNo}`,
    )
}

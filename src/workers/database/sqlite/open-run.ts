/** The guard of every transaction that names files of a run: nothing of it commits once the run was ended. */
import { RunEnded } from '../transactor.ts'
import { type Connection } from './connection.ts'

/** Inside a transaction. It writes, so that whoever ends the run waits for it. @throws {RunEnded} */
export function assertRunIsOpen(connection: Connection, runNo: number): void {
  const { changes } = connection
    .prepare('UPDATE run SET group_no = group_no WHERE run_no = ? AND ended_at IS NULL')
    .run(runNo)
  if (changes !== 1) throw new RunEnded(`run ${runNo} was ended by somebody else`)
}

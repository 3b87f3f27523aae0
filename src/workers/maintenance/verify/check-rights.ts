/** The tables of rights that are found by a hash: revocations, names of delegations, tickets of signed URLs. */
import { compareBytes, toHex } from '../../../protocol/bytes.ts'
import {
  type Checked,
  type InspectedAlias,
  type InspectedRevocation,
} from '../../database/inspector.ts'
import { RowChecksum } from '../../database/row-checksum.ts'
import { checksumOfRevocation } from '../../database/tables/revocation.ts'
import {
  checksumOfSignedTicket,
  type SignedTicketRow,
} from '../../database/tables/signed-ticket.ts'
import { type CheckContext } from './context.ts'
import { readPages } from './paging.ts'

/** What such a row takes, roughly: for the pace. */
const ROW_BYTES = 256

const checksum = new RowChecksum()

export async function checkRights(context: CheckContext): Promise<void> {
  await checkRevocations(context)
  await checkAliases(context)
  await checkTickets(context)
}

async function checkRevocations({ findings, inspector, pacer }: CheckContext): Promise<void> {
  const rows = readPages(
    (after: InspectedRevocation | undefined) =>
      inspector.readRevocations(after?.row.targetStatementId),
    ({ row: a }, { row: b }) => compareBytes(a.targetStatementId, b.targetStatementId),
  )
  for await (const { row, crc, statement } of rows) {
    const subject = { kind: 'revocation', rowId: row.revocationNo } as const
    const isSound = checksumOfRevocation(checksum, row) === crc
    findings.expect(isSound, 'row', subject, 'fails its checksum')
    // What the statement says was compared with the row when the walk came to it.
    if (isSound && statement?.kind !== 'revocation')
      findings.report('revocation', subject, 'no revocation was signed for it')
    await pacer.spend(ROW_BYTES)
  }
}

async function checkAliases({ findings, inspector, pacer }: CheckContext): Promise<void> {
  const rows = readPages(
    (after: InspectedAlias | undefined) => inspector.readAliases(after?.digest),
    (a, b) => compareBytes(a.digest, b.digest),
  )
  for await (const { digest, delegationNo, firstDigest } of rows) {
    findings.expect(
      firstDigest !== null,
      'delegation',
      { kind: 'delegation_cid', rowId: toHex(digest) },
      `names delegation ${delegationNo}, which is gone`,
    )
    await pacer.spend(ROW_BYTES)
  }
}

async function checkTickets({ findings, inspector, pacer }: CheckContext): Promise<void> {
  const rows = readPages(
    (after: Checked<SignedTicketRow> | undefined) => inspector.readTickets(after?.row.ticketId),
    ({ row: a }, { row: b }) => compareBytes(a.ticketId, b.ticketId),
  )
  for await (const { row, crc } of rows) {
    findings.expect(
      checksumOfSignedTicket(checksum, row) === crc,
      'row',
      { kind: 'signed_kv_ticket', rowId: toHex(row.ticketId) },
      'fails its checksum',
    )
    await pacer.spend(ROW_BYTES)
  }
  for (const { spaceNo, counted, there } of await inspector.readMiscountedTickets())
    findings.report(
      'space',
      { kind: 'space', rowId: spaceNo },
      `${counted} signed URLs are counted for it, and there are ${there}`,
    )
}

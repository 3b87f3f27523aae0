/** Tokens, framing, history and messages: the encoding and decoding that every request pays for. */
import { randomBytes } from 'node:crypto'
import { formatCarSection, parseCarSection } from '../../src/protocol/car.ts'
import { RAW_CODEC } from '../../src/protocol/cid.ts'
import { blake3 } from '../../src/protocol/crypto/blake3.ts'
import { formatEpoch, formatOperation } from '../../src/protocol/history.ts'
import { parseToken, verifyToken } from '../../src/protocol/token.ts'
import { ENTRIES_PER_BATCH_MAX } from '../../src/workers/compute/request.ts'
import { readCommands } from '../../src/workers/storage/command-codec.ts'
import { packCommands, put } from '../../test/_util/storage-commands.ts'
import { createAccounts } from '../load/accounts.ts'
import { createTokenMaker } from '../load/plan.ts'
import { type MicroTask } from './task.ts'

const VALUE_BYTES = 1024
const EVENTS_PER_EPOCH = 32
const COMMANDS_PER_BATCH = ENTRIES_PER_BATCH_MAX

/** @throws {Error} when what was encoded does not decode to the same */
function tokenTasks(): MicroTask[] {
  const makeToken = createTokenMaker(createAccounts({ count: 1, depth: 1 }))
  const invocation = makeToken({ operation: 'put', key: 'load/1', account: 0 })
  const session = makeToken({ operation: 'delegate', key: '', account: 0 })
  return [
    { name: 'parse an invocation (UCAN)', run: () => parseToken(invocation) },
    { name: 'parse a session (CACAO)', run: () => parseToken(session) },
    { name: 'parse and verify an invocation', run: () => verifyToken(parseToken(invocation)) },
    { name: 'parse and verify a session', run: () => verifyToken(parseToken(session)) },
  ]
}

function historyTasks(): MicroTask[] {
  const digest = blake3(randomBytes(VALUE_BYTES))
  const events = Array.from({ length: EVENTS_PER_EPOCH }, (_, index) => ({
    digest: blake3(Buffer.of(index)),
    operations: [digest],
  }))
  const metadata = { 'content-type': 'application/json' }
  return [
    {
      name: 'encode an operation',
      run: () => formatOperation({ key: 'load/1', value: digest, metadata }),
    },
    {
      name: `encode an epoch of ${EVENTS_PER_EPOCH} events`,
      run: () => formatEpoch({ events, parents: [digest] }),
    },
  ]
}

export function encodingTasks(): MicroTask[] {
  const value = randomBytes(VALUE_BYTES)
  const digest = blake3(value)
  const section = formatCarSection(RAW_CODEC, digest, value)
  const commands = Array.from({ length: COMMANDS_PER_BATCH }, (_, index) =>
    put(`load/${index}`, value),
  )
  const batch = packCommands(commands)
  return [
    ...tokenTasks(),
    { name: 'frame 1 KiB as CAR', run: () => formatCarSection(RAW_CODEC, digest, value) },
    { name: 'read a CAR section of 1 KiB', run: () => parseCarSection(section, 0) },
    ...historyTasks(),
    {
      name: `write a put command, in batches of ${COMMANDS_PER_BATCH}`,
      run: () => packCommands(commands),
      perRun: COMMANDS_PER_BATCH,
    },
    {
      name: `read a put command, in batches of ${COMMANDS_PER_BATCH}`,
      run: () => readCommands(batch),
      perRun: COMMANDS_PER_BATCH,
    },
  ]
}

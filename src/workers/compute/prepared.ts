/**
 * An authorised change that waits for its body, as main keeps it, unread: the command without its values, and how the
 * body becomes them. Written by the worker that authorised it; read by the one that takes the body and by the one that
 * decides.
 */
import { PackedReader, PackedWriter } from '../../protocol/packed.ts'
import { readCommand, writeCommand } from '../storage/command-codec.ts'
import { type MutateCommand } from '../storage/request.ts'
import { type BodyForm } from './form/body-form.ts'

export interface Prepared {
  readonly form: BodyForm
  readonly command: MutateCommand
}

/** Owned: exact and in memory of its own. */
export function packPrepared({ form, command }: Prepared): Uint8Array {
  const writer = new PackedWriter(command.tokenSection.length + 4096)
  writer.text(JSON.stringify(form))
  writeCommand(writer, command)
  return new Uint8Array(writer.finish())
}

const readForm = (reader: PackedReader): BodyForm => JSON.parse(reader.text())

export const unpackForm = (packed: Uint8Array): BodyForm => readForm(new PackedReader(packed))

/** Borrowed: byte fields are views. */
export function unpackPrepared(packed: Uint8Array): Prepared {
  const reader = new PackedReader(packed)
  const form = readForm(reader)
  const command = readCommand(reader)
  if (command.kind !== 'mutate') throw new Error('only a change is prepared for a body')
  return { form, command }
}

/** All primitives that have a choice of implementations, for the log at start and for tests. */
import { type Backend } from './backend-choice.ts'
import { blake3Backends } from './blake3.ts'
import { ed25519Backends } from './ed25519.ts'
import { p256Backends } from './p256.ts'
import { secp256k1Backends } from './secp256k1.ts'

export type Primitive = 'ed25519' | 'secp256k1' | 'p256' | 'blake3'

interface Choice {
  readonly current: Backend
  select(options: { readonly portable: boolean }): void
}

const CHOICES: Readonly<Record<Primitive, Choice>> = {
  ed25519: ed25519Backends,
  secp256k1: secp256k1Backends,
  p256: p256Backends,
  blake3: blake3Backends,
}

/** The fastest of each (the state after import), or only the portable ones. For this thread. */
export function selectBackends({ portable = false }: { readonly portable?: boolean } = {}): void {
  for (const choice of Object.values(CHOICES)) choice.select({ portable })
}

/** The name of what runs each primitive. */
export const describeBackends = (): Record<Primitive, string> => ({
  ed25519: ed25519Backends.current.name,
  secp256k1: secp256k1Backends.current.name,
  p256: p256Backends.current.name,
  blake3: blake3Backends.current.name,
})

import { createRequire } from 'node:module'

/**
 * Loads an optional native package. What it gives is untyped: the caller claims a type, and known answers test the
 * claim (`BackendChoice`). Throws when the package is not installed or has no build for this machine.
 */
export const requireNative: NodeJS.Require = createRequire(import.meta.url)

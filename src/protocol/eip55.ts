/** Ethereum addresses in the spelling of EIP-55: hexadecimal digits whose case is a checksum. */
import { keccak256 } from './crypto/keccak256.ts'
import { LruMap } from './lru.ts'

const ADDRESS = /^0x[0-9a-fA-F]{40}$/
/** A spelling takes some 300 bytes in the cache. */
const SPELLINGS_CACHED_MAX = 4096

const spellings = new LruMap<string, string>(SPELLINGS_CACHED_MAX)

/** `0x` and 40 hexadecimal digits; the case, and so the checksum, is not looked at. */
export const isAddress = (text: string): boolean => ADDRESS.test(text)

/**
 * The checksummed spelling of an address, whatever case it came in.
 * @throws {RangeError} for what `isAddress` refuses: the caller has asked
 */
export function formatEip55(address: string): string {
  const known = spellings.get(address)
  if (known !== undefined) return known
  if (!isAddress(address)) throw new RangeError('not an address')
  const digits = address.slice(2).toLowerCase()
  const hash = keccak256(Buffer.from(digits, 'latin1'))
  let spelling = '0x'
  for (let index = 0; index < digits.length; index++) {
    const byte = hash[index >> 1] ?? 0
    const nibble = index % 2 === 0 ? byte >> 4 : byte & 0x0f
    const digit = digits.charAt(index)
    spelling += nibble >= 8 ? digit.toUpperCase() : digit
  }
  spellings.set(address, spelling)
  return spelling
}

/** An Ethereum account that owns spaces. Signs messages as wallets do (EIP-191 `personal_sign`). */
import { concatBytes, utf8 } from '../bytes.ts'
import { secp256k1PublicKey, signSecp256k1 } from '../crypto/secp256k1.ts'
import { formatDidPkh } from '../did.ts'
import { formatEip55 } from '../eip55.ts'
import { formatSpaceId } from '../resource.ts'
import { addressOf, hashPersonalMessage } from '../signature.ts'

/** Added to the recovery id by wallets, for reasons of their history. */
const RECOVERY_OFFSET = 27

export interface Wallet {
  /** EIP-55 spelling. */
  readonly address: string
  readonly chainId: string
  readonly did: string
  /** The id of one of its spaces. */
  spaceId(name: string): string
  /** 65 bytes, r ‖ s ‖ v; v is 27 or 28. */
  signMessage(text: string): Uint8Array
}

/** `secret`: 32 bytes. @throws for a secret that is no key of the curve */
export function createWallet(
  secret: Uint8Array,
  { chainId = '1' }: { readonly chainId?: string } = {},
): Wallet {
  const address = formatEip55(addressOf(secp256k1PublicKey(secret, false)))
  const did = formatDidPkh(chainId, address)
  return {
    address,
    chainId,
    did,
    spaceId: (name) => formatSpaceId(did, name),
    signMessage: (text) => {
      const { compact, recovery } = signSecp256k1(hashPersonalMessage(utf8(text)), secret)
      return concatBytes([compact, Uint8Array.of(RECOVERY_OFFSET + recovery)])
    },
  }
}

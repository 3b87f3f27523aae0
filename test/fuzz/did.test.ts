/** DIDs: one principal for all its spellings, and a key or a refusal for each of them. */
import { formatDidKey, normalizePrincipal, resolveVerificationKey } from '../../src/protocol/did.ts'
import { describeTextFuzz } from '../_util/fuzz/harness.ts'
import { assertTrue, parsed, verdictOf } from '../_util/fuzz/refusal.ts'
import { didTexts } from '../_util/fuzz/uri-texts.ts'

const KEY_BYTES: Readonly<Record<string, readonly number[]>> = {
  Ed25519: [32],
  secp256k1: [33, 65],
  'P-256': [33, 65],
}
const ADDRESS_CHARS = 40

function assertKey(text: string, principal: string): void {
  const { value: key } = verdictOf(['TOKEN_MALFORMED', 'SIGNATURE_INVALID'], () =>
    resolveVerificationKey(text),
  )
  if (!key) return
  if (key.type === 'eip155') {
    const { chainId, address } = key
    assertTrue(principal === `did:pkh:eip155:${chainId}:${address}`, 'an account is its principal')
    return
  }
  assertTrue(KEY_BYTES[key.type]?.includes(key.publicKey.length) === true, 'a key has its length')
  if (principal.startsWith('did:key:'))
    assertTrue(formatDidKey(key.type, key.publicKey) === principal, 'a did:key is its key')
}

describeTextFuzz({
  name: 'did',
  inputs: didTexts,
  check: (text) => {
    const principal = parsed(() => normalizePrincipal(text))
    if (principal === undefined) return false
    assertTrue(normalizePrincipal(principal) === principal, 'a principal is its own principal')
    assertTrue(!principal.includes('#'), 'a principal has no fragment')
    assertTrue(text.toLowerCase().startsWith(principal.toLowerCase()), 'only its case changes')
    const isAccount = principal.startsWith('did:pkh:eip155:')
    const isSameText = text.startsWith(principal)
    assertTrue(isAccount || isSameText, 'only addresses are spelled anew')
    if (isAccount && !isSameText) {
      const spelled = text.slice(principal.length - ADDRESS_CHARS, principal.length)
      assertTrue(/^[0-9a-f]{40}$/i.test(spelled), 'only addresses are spelled anew')
    }
    assertKey(text, principal)
    return true
  },
})

/** Messages as the public SIWE vectors write them. */
import { type SiweMessage } from '../../src/protocol/siwe.ts'

export interface SiweFields extends Partial<Omit<SiweMessage, 'chainId' | 'scheme'>> {
  readonly scheme?: string | null
  readonly version?: string
  readonly chainId?: number | string
}

/** Our form of a message; a field that is missing becomes the empty text, which no field may be. */
export function messageOf(fields: SiweFields): SiweMessage {
  return {
    scheme: fields.scheme ?? undefined,
    domain: fields.domain ?? '',
    address: fields.address ?? '',
    statement: fields.statement,
    uri: fields.uri ?? '',
    chainId: String(fields.chainId ?? ''),
    nonce: fields.nonce ?? '',
    issuedAt: fields.issuedAt ?? '',
    expirationTime: fields.expirationTime,
    notBefore: fields.notBefore,
    requestId: fields.requestId,
    resources: fields.resources,
  }
}

/**
 * Sign-In with Ethereum messages (EIP-4361).
 *
 * The text and its fields determine each other: a field holds nothing that could be read as the end of its line. That
 * is a matter of authority, since a CACAO carries the fields and the signature covers the text: two sets of fields with
 * one text would be two delegations for one signature.
 */
import { formatEip55 } from './eip55.ts'
import { ProtocolError } from './error.ts'
import { parseRfc3339 } from './rfc3339.ts'
import { isUri, isUriAuthority, isUriScheme } from './uri.ts'

/** Times keep the spelling that was signed. */
export interface SiweMessage {
  readonly scheme?: string | undefined
  readonly domain: string
  /** EIP-55 spelling. */
  readonly address: string
  readonly statement?: string | undefined
  readonly uri: string
  /** Decimal, without leading zeros. */
  readonly chainId: string
  readonly nonce: string
  readonly issuedAt: string
  readonly expirationTime?: string | undefined
  readonly notBefore?: string | undefined
  readonly requestId?: string | undefined
  /** Undefined: no `Resources:` line. */
  readonly resources?: readonly string[] | undefined
}

const GREETING = ' wants you to sign in with your Ethereum account:'

const ADDRESS = /^0x[0-9a-fA-F]{40}$/
const CHAIN_ID = /^(?:0|[1-9][0-9]{0,77})$/
const NONCE = /^[A-Za-z0-9]{8,}$/
/** `*pchar` (RFC 3986). */
const REQUEST_ID = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})*$/
/** Letters of any script; no control characters, of which the line feed would end the line. */
const STATEMENT = /^\P{Cc}+$/u

/**
 * The text that a wallet signs.
 * @throws {ProtocolError} TOKEN_MALFORMED: a field that EIP-4361 does not allow
 */
export function formatSiwe(message: SiweMessage): string {
  assertSiwe(message)
  const { scheme, domain, address, statement, resources } = message
  const origin = scheme === undefined ? domain : `${scheme}://${domain}`
  const lines = [`${origin}${GREETING}`, address, '']
  if (statement !== undefined) lines.push(statement)
  lines.push(
    '',
    `URI: ${message.uri}`,
    'Version: 1',
    `Chain ID: ${message.chainId}`,
    `Nonce: ${message.nonce}`,
    `Issued At: ${message.issuedAt}`,
  )
  if (message.expirationTime !== undefined) lines.push(`Expiration Time: ${message.expirationTime}`)
  if (message.notBefore !== undefined) lines.push(`Not Before: ${message.notBefore}`)
  if (message.requestId !== undefined) lines.push(`Request ID: ${message.requestId}`)
  if (resources !== undefined) lines.push('Resources:', ...resources.map((uri) => `- ${uri}`))
  return lines.join('\n')
}

/**
 * The fields of a signed text.
 * @throws {ProtocolError} TOKEN_MALFORMED
 */
export function parseSiwe(text: string): SiweMessage {
  const lines = new LineReader(text)
  const { scheme, domain } = parseOrigin(lines.until(GREETING))
  const address = lines.next()
  lines.expect('')
  const statement = lines.optional(lines.peek() !== '')
  lines.expect('')
  const uri = lines.field('URI: ')
  lines.expect('Version: 1')
  const message: SiweMessage = {
    scheme,
    domain,
    address,
    statement,
    uri,
    chainId: lines.field('Chain ID: '),
    nonce: lines.field('Nonce: '),
    issuedAt: lines.field('Issued At: '),
    expirationTime: lines.optionalField('Expiration Time: '),
    notBefore: lines.optionalField('Not Before: '),
    requestId: lines.optionalField('Request ID: '),
    resources: lines.resources(),
  }
  assertSiwe(message)
  return message
}

function parseOrigin(origin: string): { scheme: string | undefined; domain: string } {
  const end = origin.indexOf('://')
  if (end === -1) return { scheme: undefined, domain: origin }
  return { scheme: origin.slice(0, end), domain: origin.slice(end + '://'.length) }
}

/**
 * Checks every field on its own.
 * @throws {ProtocolError} TOKEN_MALFORMED, its detail names the field
 */
function assertSiwe(message: SiweMessage): void {
  const { scheme, domain, address, statement, requestId, resources } = message
  assertField('scheme', scheme === undefined || isUriScheme(scheme))
  assertField('domain', isUriAuthority(domain))
  assertField('address', ADDRESS.test(address) && formatEip55(address) === address)
  assertField('statement', statement === undefined || STATEMENT.test(statement))
  assertField('URI', isUri(message.uri))
  assertField('chain ID', CHAIN_ID.test(message.chainId))
  assertField('nonce', NONCE.test(message.nonce))
  assertField('request ID', requestId === undefined || REQUEST_ID.test(requestId))
  assertField('resources', resources === undefined || resources.every(isUri))
  parseRfc3339(message.issuedAt)
  if (message.expirationTime !== undefined) parseRfc3339(message.expirationTime)
  if (message.notBefore !== undefined) parseRfc3339(message.notBefore)
}

function assertField(field: string, isValid: boolean): void {
  if (!isValid) throw new ProtocolError('TOKEN_MALFORMED', `SIWE ${field}`)
}

/** Takes the lines of a message one after the other. */
class LineReader {
  readonly #lines: readonly string[]
  #index = 0

  constructor(text: string) {
    this.#lines = text.split('\n')
  }

  peek(): string | undefined {
    return this.#lines[this.#index]
  }

  next(): string {
    const line = this.peek()
    if (line === undefined) throw new ProtocolError('TOKEN_MALFORMED', 'SIWE message ends early')
    this.#index++
    return line
  }

  expect(line: string): void {
    if (this.next() !== line) throw new ProtocolError('TOKEN_MALFORMED', `SIWE line "${line}"`)
  }

  /** The part of the next line before `suffix`. */
  until(suffix: string): string {
    const line = this.next()
    if (!line.endsWith(suffix)) throw new ProtocolError('TOKEN_MALFORMED', 'SIWE greeting')
    return line.slice(0, -suffix.length)
  }

  optional(isPresent: boolean): string | undefined {
    return isPresent ? this.next() : undefined
  }

  field(label: string): string {
    const line = this.next()
    if (!line.startsWith(label)) throw new ProtocolError('TOKEN_MALFORMED', `SIWE "${label}"`)
    return line.slice(label.length)
  }

  optionalField(label: string): string | undefined {
    return this.peek()?.startsWith(label) ? this.field(label) : undefined
  }

  /** The last part of a message: nothing may follow it. */
  resources(): string[] | undefined {
    if (this.#index === this.#lines.length) return undefined
    this.expect('Resources:')
    const resources: string[] = []
    while (this.#index < this.#lines.length) resources.push(this.field('- '))
    return resources
  }
}

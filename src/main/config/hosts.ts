/** Settings that name other hosts: `spaces.allowlist`, `ethereum.rpc_urls`. Each is `none` unless it is written. */

const NOBODY = 'none'
/** As `eip155` names them in a DID. */
const CHAIN_ID = /^[1-9]\d{0,31}$/
const CHAINS_MAX = 64

/** @throws {RangeError} with the sentence for the person who wrote it */
export function parseAllowlistUrl(text: string): string | undefined {
  if (isNobody(text)) return undefined
  const url = parseHttpUrl(text)
  if (!url || url.search !== '' || url.username !== '' || url.password !== '')
    throw new RangeError(
      'spaces.allowlist: must be an http: or https: URL without user name, query and fragment, such as https://allowlist.example/spaces, or none.',
    )
  return url.href
}

/**
 * URLs by the decimal id of their chain.
 * @throws {RangeError} with the sentence for the person who wrote it; it repeats no URL
 */
export function parseRpcUrls(text: string): ReadonlyMap<string, string> {
  const urls = new Map<string, string>()
  if (isNobody(text)) return urls
  for (const part of text.split(',')) {
    const [chainId = '', ...rest] = part.split('=')
    const url = parseHttpUrl(rest.join('=').trim())
    if (!CHAIN_ID.test(chainId.trim()) || !url)
      throw new RangeError(
        'ethereum.rpc_urls: must be chain ids with http: or https: URLs, such as 1=https://mainnet.example, 8453=https://base.example, or none.',
      )
    if (urls.has(chainId.trim()))
      throw new RangeError(`ethereum.rpc_urls: chain ${chainId.trim()} is named twice.`)
    urls.set(chainId.trim(), url.href)
  }
  if (urls.size > CHAINS_MAX)
    throw new RangeError(`ethereum.rpc_urls: at most ${CHAINS_MAX} chains can be named.`)
  return urls
}

const isNobody = (text: string): boolean => text.trim().toLowerCase() === NOBODY

function parseHttpUrl(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:'
  return isHttp && url.hash === '' ? url : undefined
}

/** Settings that name other hosts: `spaces.allowlist`. Each is `none` unless it is written. */

const NOBODY = 'none'

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

const isNobody = (text: string): boolean => text.trim().toLowerCase() === NOBODY

function parseHttpUrl(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:'
  return isHttp && url.hash === '' ? url : undefined
}

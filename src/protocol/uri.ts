/** URIs of RFC 3986, as far as credentials need them: is a text one, and is it spelled in the one normal form. */

/** Any number of the given characters and of escapes, in a form that a regular expression matches in linear time. */
const run = (characters: string): string =>
  String.raw`[${characters}]*(?:%[0-9A-Fa-f]{2}[${characters}]*)*`

const REG_NAME = String.raw`A-Za-z0-9\-._~!$&'()*+,;=`
const PATH = String.raw`${REG_NAME}:@\/`

const AUTHORITY = String.raw`(?:${run(`${REG_NAME}:`)}@)?(?:\[[0-9A-Fa-f:.]+\]|${run(REG_NAME)})(?::[0-9]*)?`
/** Without authority a path does not begin with `//`, else the two forms could not be told apart. */
const HIERARCHY = String.raw`(?:\/\/${AUTHORITY}(?:\/${run(PATH)})?|(?!\/\/)${run(PATH)})`
const TAIL = String.raw`(?:\?${run(`${PATH}?`)})?(?:#${run(`${PATH}?`)})?`

const URI = new RegExp(String.raw`^[A-Za-z][A-Za-z0-9+\-.]*:${HIERARCHY}${TAIL}$`)
const WHOLE_AUTHORITY = new RegExp(`^${AUTHORITY}$`)
const SCHEME = /^[A-Za-z][A-Za-z0-9+\-.]*$/

const LOWER_CASE_ESCAPE = /%(?:[a-f]|[0-9A-F][a-f])/
/** Escapes of letters, digits, `-`, `.`, `_` and `~`, which need none. */
const NEEDLESS_ESCAPE = /%(?:2[DE]|3\d|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])/
/** Anywhere before the query. */
const DOT_SEGMENT = /^[^?#]*?\/\.{1,2}(?:[/?#]|$)/

/** A URI with scheme (RFC 3986 §3): printable ASCII without blanks, every `%` followed by two hex digits. */
export const isUri = (text: string): boolean => URI.test(text)

/** `user@host:port` (RFC 3986 §3.2), not empty. */
export const isUriAuthority = (text: string): boolean => text !== '' && WHOLE_AUTHORITY.test(text)

export const isUriScheme = (text: string): boolean => SCHEME.test(text)

/**
 * Whether a URI is its own normal form (RFC 3986 §6.2.2): no dot segments, escapes in upper case and only where one is
 * needed. Scheme and host are not looked at.
 */
export function isNormalUri(uri: string): boolean {
  if (uri.includes('%') && (LOWER_CASE_ESCAPE.test(uri) || NEEDLESS_ESCAPE.test(uri))) return false
  return !(uri.includes('/.') && DOT_SEGMENT.test(uri))
}

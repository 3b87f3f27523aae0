/** The path of a request as the routes that carry names in it read it. */
import { ProtocolError } from '../../protocol/error.ts'

/**
 * The segments of the path, each decoded exactly once; empty ones are dropped. They are taken from the URL as received,
 * because names may themselves hold escapes.
 * @throws {ProtocolError} REQUEST_MALFORMED
 */
export function readSegments(url: string): string[] {
  const [path = ''] = url.split('?', 1)
  return path
    .split('/')
    .filter((segment) => segment !== '')
    .map((segment) => decodeOnce(segment, 'REQUEST_MALFORMED'))
}

/** The first value of a query parameter, decoded; undefined: it is not there. @throws {ProtocolError} OPTION_INVALID */
export function readParameter(url: string, name: string): string | undefined {
  const start = url.indexOf('?')
  if (start === -1) return undefined
  const assignment = `${name}=`
  const parameter = url
    .slice(start + 1)
    .split('&')
    .find((part) => part.startsWith(assignment))
  if (parameter === undefined) return undefined
  return decodeOnce(parameter.slice(assignment.length), 'OPTION_INVALID', `Invalid ${name}`)
}

function decodeOnce(
  text: string,
  code: 'REQUEST_MALFORMED' | 'OPTION_INVALID',
  detail = '',
): string {
  try {
    return decodeURIComponent(text)
  } catch (cause) {
    throw new ProtocolError(code, detail, { cause })
  }
}

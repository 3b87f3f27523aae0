/** Which headers of a request travel to compute. */
import { ENTRY_HEADERS } from '../../workers/compute/request.ts'

const OWN_HEADER_PREFIX = 'x-tinycloud-'

/** Those that compute may look at, names in lower case, in the order received. */
export function readEntryHeaders(rawHeaders: readonly string[]): [name: string, value: string][] {
  const headers: [string, string][] = []
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase()
    if (ENTRY_HEADERS.has(name) || name.startsWith(OWN_HEADER_PREFIX)) {
      headers.push([name, rawHeaders[index + 1] ?? ''])
    }
  }
  return headers
}

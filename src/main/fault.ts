/** Reasons why the node cannot start, as they are printed: what, why, what to do. */
import { type Fault, StartFault } from '../workers/storage/request.ts'

/** The text for standard error. Lines inside `why` and `remedy` are kept and indented. */
export function formatFault(fault: Fault): string {
  return [
    '',
    `✗ ${fault.what}`,
    '',
    `  Why:         ${indentLines(fault.why)}`,
    `  What to do:  ${indentLines(fault.remedy)}`,
    '',
    '',
  ].join('\n')
}

/** Turns whatever stopped the start into a fault. What nobody foresaw is named as such, with its message. */
export function faultOf(error: unknown): Fault {
  if (error instanceof StartFault) return error.fault
  if (isFault(error)) return error
  if (error instanceof Error) return systemFault(error) ?? unforeseenFault(error.message)
  return unforeseenFault(String(error))
}

/** What an operating system error means to the person who started the node; undefined for other errors. */
function systemFault(
  error: NodeJS.ErrnoException & { address?: string; port?: number },
): Fault | undefined {
  const place = `${error.address ?? 'the address'}:${error.port ?? ''}`
  switch (error.code) {
    case 'EADDRINUSE':
      return {
        what: `The node cannot listen on ${place}`,
        why: 'Another program, perhaps another node, listens there already (EADDRINUSE).',
        remedy: 'Stop that program, or choose another port: TINYCLOUD_PORT=8002 tinycloud',
      }
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return {
        what: `The node cannot listen on ${place}`,
        why: `The address does not belong to this machine (${error.code}).`,
        remedy:
          'Set `address` (TINYCLOUD_ADDRESS) to 127.0.0.1, to 0.0.0.0 or to an address of this machine.',
      }
    case 'EACCES':
    case 'EPERM':
      if (error.syscall !== 'listen') return undefined
      return {
        what: `The node cannot listen on ${place}`,
        why: 'This user may not open that port (ports below 1024 need a privilege).',
        remedy: 'Choose a port above 1023, and put a reverse proxy in front of it.',
      }
    case undefined:
    default:
      return undefined
  }
}

function unforeseenFault(message: string): Fault {
  return {
    what: 'The node cannot start',
    why: message,
    remedy:
      'Nobody foresaw this: please report it with the lines above and the version (tinycloud version).',
  }
}

function isFault(value: unknown): value is Fault {
  if (typeof value !== 'object' || value === null) return false
  return 'what' in value && 'why' in value && 'remedy' in value
}

const indentLines = (text: string): string => text.split('\n').join('\n               ')

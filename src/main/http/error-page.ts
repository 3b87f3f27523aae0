/**
 * The bodies of refusals that no handler words: a fixed JSON document or an HTML page, by the first choice of `Accept`
 * (HTTP-8, reference-behaviour §0.2). No client reads the page; some read the document.
 */

export interface ErrorPage {
  readonly contentType: string
  readonly body: Buffer
}

interface Status {
  readonly reason: string
  readonly description: string
}

const STATUSES: Readonly<Record<number, Status>> = {
  400: {
    reason: 'Bad Request',
    description: 'The request could not be understood by the server due to malformed syntax.',
  },
  401: { reason: 'Unauthorized', description: 'The request requires user authentication.' },
  404: { reason: 'Not Found', description: 'The requested resource could not be found.' },
  408: { reason: 'Request Timeout', description: 'The request did not arrive in time.' },
  413: {
    reason: 'Payload Too Large',
    description: 'The request is larger than the server is willing or able to process.',
  },
  422: {
    reason: 'Unprocessable Entity',
    description:
      'The request was well-formed but was unable to be followed due to semantic errors.',
  },
  431: {
    reason: 'Request Header Fields Too Large',
    description:
      'The header fields of the request are larger than the server is willing to process.',
  },
  503: { reason: 'Service Unavailable', description: 'The server is currently unavailable.' },
}

const UNKNOWN: Status = {
  reason: 'Internal Server Error',
  description: 'The server encountered an internal error while processing this request.',
}

const pages = new Map<string, ErrorPage>()

/** The body for a status. Pages are made once and shared: do not change them. */
export function errorPage(status: number, accept: string | undefined): ErrorPage {
  const isJson = isJsonPreferred(accept)
  const name = `${status} ${isJson ? 'json' : 'html'}`
  let page = pages.get(name)
  if (!page) {
    const known = STATUSES[status] ?? UNKNOWN
    page = isJson ? jsonPage(status, known) : htmlPage(status, known)
    pages.set(name, page)
  }
  return page
}

function jsonPage(code: number, { reason, description }: Status): ErrorPage {
  const document = JSON.stringify({ error: { code, reason, description } }, undefined, 2)
  return { contentType: 'application/json', body: Buffer.from(document) }
}

function htmlPage(code: number, { reason, description }: Status): ErrorPage {
  const html = `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>${code} ${reason}</title></head>
<body><h1>${code}: ${reason}</h1><p>${description}</p><hr><small>TinyCloud</small></body>
</html>
`
  return { contentType: 'text/html; charset=utf-8', body: Buffer.from(html) }
}

/** True only when the first choice by quality is exactly `application/json`. An unreadable header names no choice. */
export function isJsonPreferred(accept: string | undefined): boolean {
  if (accept === undefined) return false
  let best = ''
  let bestQuality = 0
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim())
    const quality = qualityOf(parameters)
    if (quality > bestQuality) {
      best = type
      bestQuality = quality
    }
  }
  return best.toLowerCase() === 'application/json'
}

function qualityOf(parameters: readonly string[]): number {
  const parameter = parameters.find((part) => /^q=/i.test(part))
  if (parameter === undefined) return 1
  const quality = Number(parameter.slice(2))
  return quality >= 0 && quality <= 1 ? quality : 0
}

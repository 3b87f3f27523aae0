import { describe, expect, it } from 'vitest'

import { errorPage, isJsonPreferred } from '../../../src/main/http/error-page.ts'

describe('isJsonPreferred (HTTP-8)', () => {
  it.each([
    'application/json',
    'APPLICATION/JSON',
    'application/json, text/html;q=0.9',
    'text/html;q=0.9, application/json',
    'application/json;q=0.5, text/html;q=0.4',
    'application/json;charset=utf-8',
  ])('is true for %j', (accept) => expect(isJsonPreferred(accept)).toBe(true))

  it.each([
    undefined,
    '',
    '*/*',
    'application/*',
    'text/html',
    'application/json;q=0.5, text/html',
    'text/html, application/json',
    'application/json;q=0',
    'application/json;q=x',
    'application/json;q=9, text/html',
    'application/ld+json',
    ',,;;application/jsonx',
  ])('is false for %j', (accept) => expect(isJsonPreferred(accept)).toBe(false))
})

describe('errorPage', () => {
  it('gives the fixed document, pretty-printed, without a final newline', () => {
    const page = errorPage(404, 'application/json')
    expect(page.contentType).toBe('application/json')
    expect(page.body.toString()).toBe(`{
  "error": {
    "code": 404,
    "reason": "Not Found",
    "description": "The requested resource could not be found."
  }
}`)
  })

  it('gives a page with code and reason otherwise', () => {
    const page = errorPage(401, 'text/html')
    expect(page.contentType).toBe('text/html; charset=utf-8')
    expect(page.body.toString()).toContain('<h1>401: Unauthorized</h1>')
  })

  it('words every status, also one that nobody foresaw', () => {
    for (const status of [400, 401, 404, 408, 413, 422, 431, 503]) {
      expect(errorPage(status, undefined).body.toString()).not.toContain('Internal Server Error')
    }
    expect(errorPage(599, undefined).body.toString()).toContain('599: Internal Server Error')
  })
})

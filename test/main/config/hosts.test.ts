import { describe, expect, it } from 'vitest'

import { parseAllowlistUrl } from '../../../src/main/config/hosts.ts'

describe('spaces.allowlist', () => {
  it.each(['none', 'None', ' none '])('%j hosts every space', (text) => {
    expect(parseAllowlistUrl(text)).toBeUndefined()
  })

  it.each([
    ['https://list.example', 'https://list.example/'],
    ['https://list.example/spaces', 'https://list.example/spaces'],
    ['http://127.0.0.1:3000/allow/', 'http://127.0.0.1:3000/allow/'],
  ])('%s is asked at %s', (text, url) => {
    expect(parseAllowlistUrl(text)).toBe(url)
  })

  it.each([
    'list.example',
    'list.example:3000/spaces',
    '/spaces',
    'file:///etc/spaces',
    'ftp://list.example',
    'https://list.example/?space=',
    'https://list.example/#spaces',
    'https://user@list.example',
    'https://user:secret@list.example',
    'https://',
    'yes',
  ])('%s is refused, and not repeated: it may hold a password', (text) => {
    expect(() => parseAllowlistUrl(text)).toThrow(/^spaces.allowlist: must be an http: or https:/)
    expect(() => parseAllowlistUrl(text)).not.toThrow(/secret/)
  })
})

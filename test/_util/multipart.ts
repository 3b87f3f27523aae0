/** multipart/form-data byte by byte, so that a test can leave out or repeat anything. */

export interface FormPart {
  /** As it stands in the disposition, percent-encoded; undefined: the part has no name. */
  readonly name?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body: Uint8Array | string
}

export const BOUNDARY = '----form-7MA4YWxkTrZu0gW'
export const FORM_TYPE = `multipart/form-data; boundary=${BOUNDARY}`

/** The part of a key, named as official clients do. */
export const partOf = (
  key: string,
  body: FormPart['body'],
  headers: FormPart['headers'] = {},
): FormPart => ({ name: encodeURIComponent(key), headers, body })

export function headOf({ name, headers = {} }: FormPart): string {
  const parameters = name === undefined ? '' : `; name="${name}"; filename="blob"`
  const lines = [`Content-Disposition: form-data${parameters}`]
  for (const [field, value] of Object.entries(headers)) lines.push(`${field}: ${value}`)
  return lines.join('\r\n')
}

/** The bytes of one part, its delimiter before it. */
export const formatPart = (part: FormPart, boundary: string = BOUNDARY): Buffer =>
  Buffer.concat([
    Buffer.from(`--${boundary}\r\n${headOf(part)}\r\n\r\n`, 'latin1'),
    Buffer.from(part.body),
    Buffer.from('\r\n'),
  ])

export const formatForm = (parts: readonly FormPart[], boundary: string = BOUNDARY): Buffer =>
  Buffer.concat([
    ...parts.map((part) => formatPart(part, boundary)),
    Buffer.from(`--${boundary}--\r\n`),
  ])

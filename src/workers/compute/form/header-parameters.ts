/** Parameters of a header value: `type; name=token; name="quoted"` (RFC 9110 §5.6.6). */

/** `(?![ \t])` keeps blanks from being tried in more than one way: time stays linear. */
const PARAMETER =
  /[ \t]*;[ \t]*(?![ \t])(?:([^\s=;"]+)=(?:"((?:[^"\\]|\\[^])*)"|([^\s;"]*)))?(?=[ \t]*(?:;|$))/y

export interface HeaderParameters {
  /** What comes before the first parameter, in lower case. */
  readonly type: string
  /** By names in lower case; of a repeated one the first. */
  readonly parameters: ReadonlyMap<string, string>
}

/** Never throws. What comes after something that is no parameter is not looked at. */
export function readHeaderParameters(value: string): HeaderParameters {
  const typeEnd = value.indexOf(';')
  const type = (typeEnd < 0 ? value : value.slice(0, typeEnd)).trim().toLowerCase()
  const parameters = new Map<string, string>()
  if (typeEnd < 0) return { type, parameters }
  PARAMETER.lastIndex = typeEnd
  for (let found = PARAMETER.exec(value); found; found = PARAMETER.exec(value)) {
    const [, name, quoted, token] = found
    const key = name?.toLowerCase()
    if (key !== undefined && !parameters.has(key))
      parameters.set(key, quoted?.replaceAll(/\\([^])/g, '$1') ?? token ?? '')
  }
  return { type, parameters }
}

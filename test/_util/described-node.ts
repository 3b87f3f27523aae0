/** Compares what a node answers with what it says about itself in `/openapi.json`. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { type Reply } from './client.ts'
import { membersOf, present, textsOf } from './narrow.ts'

/** RFC 3339 in UTC. */
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/
const DOCUMENT_ID = 'openapi'
const ANY_TYPE = '*/*'

export const METHODS = { get: 'GET', head: 'HEAD', options: 'OPTIONS', post: 'POST' } as const

export type Method = keyof typeof METHODS

const isMethod = (name: string): name is Method => Object.hasOwn(METHODS, name)

/** One operation of the document. */
export interface Operation {
  readonly method: Method
  readonly pattern: string
}

type Members = Readonly<Record<string, unknown>>

export class DescribedNode {
  readonly #document: Members
  readonly #ajv = new Ajv2020({
    strict: false,
    validateSchema: false,
    formats: { 'date-time': DATE_TIME },
  })
  readonly #seen = new Set<string>()

  constructor(document: Members) {
    this.#document = document
    this.#ajv.addSchema(document, DOCUMENT_ID)
  }

  /** Operation and status of every answer so far that was as described. */
  get seen(): ReadonlySet<string> {
    return this.#seen
  }

  get operations(): readonly Operation[] {
    return Object.entries(membersOf(this.#document['paths'])).flatMap(([pattern, item]) =>
      Object.keys(membersOf(item)).map((method) => {
        if (!isMethod(method)) throw new Error(`${method} ${pattern} is never sent`)
        return { method, pattern }
      }),
    )
  }

  /** Every operation and status in the document. */
  get described(): readonly string[] {
    return this.operations.flatMap((operation) =>
      Object.keys(this.#responsesOf(operation)).map((status) => nameOf(operation, status)),
    )
  }

  /**
   * Fails unless the answer is one that the document has.
   * @param title the one of several documents that a JSON body must be
   */
  check(operation: Operation, reply: Reply, title?: string): Reply {
    const status = String(reply.status)
    const name = nameOf(operation, status)
    const described = this.#responsesOf(operation)[status]
    if (described === undefined) throw new Error(`${name} is not described: ${reply.text()}`)
    const response = membersOf(described)
    this.#checkHeaders(name, membersOf(response['headers']), reply)
    if (operation.method === 'head' || response['content'] === undefined) {
      if (reply.bytes.length > 0) throw new Error(`${name} has a body: ${reply.text()}`)
    } else {
      this.#checkBody(name, membersOf(response['content']), reply, title)
    }
    this.#seen.add(name)
    return reply
  }

  /** Whether the document allows this JSON as the body of the operation. */
  allowsBody({ method, pattern }: Operation, body: unknown): boolean {
    const place = ['paths', pattern, method, 'requestBody', 'content', 'application/json', 'schema']
    return this.#compile({ $ref: `${DOCUMENT_ID}#${pointerOf(place)}` })(body)
  }

  #responsesOf({ method, pattern }: Operation): Members {
    const item = membersOf(membersOf(this.#document['paths'])[pattern])
    return membersOf(membersOf(item[method])['responses'])
  }

  #checkHeaders(name: string, headers: Members, reply: Reply): void {
    for (const [header, described] of Object.entries(headers)) {
      const { required } = this.#resolve(membersOf(described))
      if (required === true && reply.headers[header] === undefined)
        throw new Error(`${name} has no ${header}`)
    }
  }

  #checkBody(name: string, content: Members, reply: Reply, title: string | undefined): void {
    const type = String(reply.headers['content-type'] ?? ANY_TYPE)
    // A part of a JSON value, and the head of one, are no JSON: they are any value.
    const isBare = reply.bytes.length === 0 && content[ANY_TYPE] !== undefined
    const ofType = isBare ? undefined : content[type]
    const described = ofType ?? content[ANY_TYPE]
    if (described === undefined) throw new Error(`${name} is of type ${type}`)
    const { schema } = membersOf(described)
    const isJson = ofType !== undefined && type === 'application/json'
    const validate = this.#compile(choose(membersOf(schema), title))
    const body: unknown = isJson ? JSON.parse(reply.text()) : reply.text()
    if (!validate(body))
      throw new Error(`${name}: ${reply.text()}\n${this.#ajv.errorsText(validate.errors)}`)
  }

  /** References of a part of the document are meant from its root. */
  #compile(schema: Members): ValidateFunction {
    const text = JSON.stringify(schema).replaceAll('"$ref":"#/', `"$ref":"${DOCUMENT_ID}#/`)
    return this.#ajv.compile(membersOf(JSON.parse(text)))
  }

  #resolve(part: Members): Members {
    const { $ref: reference } = part
    if (typeof reference !== 'string') return part
    const names = reference.slice('#/'.length).split('/')
    return membersOf(names.reduce<unknown>((at, name) => membersOf(at)[name], this.#document))
  }
}

const nameOf = ({ method, pattern }: Operation, status: string): string =>
  `${method} ${pattern} ${status}`

const pointerOf = (names: readonly string[]): string =>
  textsOf(names)
    .map((name) => `/${encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))}`)
    .join('')

/** The alternative of this title. */
function choose(schema: Members, title: string | undefined): Members {
  if (title === undefined) return schema
  const { anyOf } = schema
  const alternatives = Array.isArray(anyOf) ? anyOf.map(membersOf) : [schema]
  return present(alternatives.find((alternative) => alternative['title'] === title))
}

/**
 * The part of JSON Schema (2020-12) in which the messages of the protocol are written. The node checks bodies with these
 * very objects, and its description in OpenAPI holds them as they are.
 */

export type JsonType = 'array' | 'boolean' | 'integer' | 'null' | 'object' | 'string'

/** One value. What is absent allows everything. */
export interface JsonSchema {
  readonly type?: JsonType | readonly JsonType[]
  readonly title?: string
  readonly description?: string
  readonly const?: boolean | number | string
  /** `null` among them where the type allows it. */
  readonly enum?: readonly (string | null)[]
  readonly minimum?: number
  readonly maximum?: number
  /** In characters. */
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly format?: string
  readonly items?: JsonSchema
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  /** False: other members are refused. */
  readonly additionalProperties?: boolean | JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  /** Stands for a schema that lies elsewhere in the same document. */
  readonly $ref?: string
}

/** The body of a message: an object. */
export interface MessageSchema extends JsonSchema {
  readonly type: 'object'
  readonly properties: Readonly<Record<string, JsonSchema>>
  readonly required: readonly string[]
}

/** Why a value is not what a schema says. */
export interface Violation {
  /** Name of the member that is wrong. */
  readonly member: string
  readonly keyword: 'required' | 'additionalProperties' | 'type' | 'enum' | 'range' | 'length'
}

/**
 * The first violation of a message: members that are not known, then the known ones in the order of the schema.
 *
 * Only what requests need is looked at: members are texts, whole numbers or null, and their values are judged by type,
 * `enum`, `minimum`, `maximum`, `minLength` and `maxLength`. Whole numbers beyond 2^53 are none, because they were
 * rounded when they were read.
 */
export function findViolation(
  schema: MessageSchema,
  members: ReadonlyMap<string, unknown>,
): Violation | undefined {
  if (schema.additionalProperties === false)
    for (const member of members.keys())
      if (!Object.hasOwn(schema.properties, member))
        return { member, keyword: 'additionalProperties' }
  for (const [member, memberSchema] of Object.entries(schema.properties)) {
    const value = members.get(member)
    const keyword = members.has(member)
      ? brokenKeyword(memberSchema, value)
      : schema.required.includes(member)
        ? 'required'
        : undefined
    if (keyword) return { member, keyword }
  }
  return undefined
}

function brokenKeyword(schema: JsonSchema, value: unknown): Violation['keyword'] | undefined {
  if (!isOfType(schema, value)) return 'type'
  if (schema.enum && !schema.enum.some((choice) => choice === value)) return 'enum'
  if (typeof value === 'number') {
    const { minimum = -Infinity, maximum = Infinity } = schema
    return value < minimum || value > maximum ? 'range' : undefined
  }
  if (typeof value === 'string') {
    const { minLength = 0, maxLength = Infinity } = schema
    return value.length < minLength || value.length > maxLength ? 'length' : undefined
  }
  return undefined
}

function isOfType({ type }: JsonSchema, value: unknown): boolean {
  if (type === undefined) return true
  const types: readonly (JsonType | 'number')[] = typeof type === 'string' ? [type] : type
  return types.includes(typeOf(value))
}

function typeOf(value: unknown): JsonType | 'number' {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'string') return 'string'
  if (typeof value === 'boolean') return 'boolean'
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'integer' : 'number'
  return 'object'
}

/** The story of the demo: what happens, one step after the other. */
import {
  type Actor,
  type Cast,
  signHosting,
  signRequest,
  signShareRevocation,
} from './demo-cast.ts'
import { UnexpectedAnswer, type Wire, type WireAnswer } from './demo-wire.ts'

const PROTOCOL_VERSION = 1

/** The folder that is shared, and what lies in it. */
export const SHARED_FOLDER = 'notes/'
const KEY = `${SHARED_FOLDER}hello`
const VALUE = 'Hello from tinycloud demo!'

interface Step {
  readonly name: string
  /** Does it and says in a sentence what it showed. @throws {UnexpectedAnswer | NodeUnreachable} */
  readonly run: (cast: Cast, wire: Wire) => Promise<string>
}

export const DEMO_STEPS: readonly Step[] = [
  {
    name: 'node',
    async run(_cast, wire) {
      const { text } = assertStatus(await wire.exchange({ method: 'GET', path: '/info' }), 200)
      const info = parseObject(text)
      if (info['protocol'] !== PROTOCOL_VERSION)
        throw new UnexpectedAnswer(`this is no node of protocol ${PROTOCOL_VERSION}: ${text}`)
      return `version ${String(info['version'])} speaks protocol ${PROTOCOL_VERSION}`
    },
  },
  {
    // Nothing is sent: an account is a pair of keys, and a space is a name under it.
    name: 'wallet',
    run: ({ wallet, space }) =>
      Promise.resolve(`a throw-away account, ${wallet.address}, owns ${space}`),
  },
  {
    name: 'host',
    async run(cast, wire) {
      const path = `/peer/generate/${encodeURIComponent(cast.space)}`
      const { text: hostDid } = assertStatus(await wire.exchange({ method: 'GET', path }), 200)
      const token = signHosting(cast, hostDid)
      const { text } = assertStatus(
        await wire.exchange({ method: 'POST', path: '/delegate', token }),
        200,
      )
      if (!listOf(parseObject(text)['activated']).includes(cast.space))
        throw new UnexpectedAnswer(`the node does not host the space: ${text}`)
      return 'the wallet asked the node to host the space, and it does'
    },
  },
  {
    name: 'session',
    async run({ owner }, wire) {
      await delegate(owner, wire)
      return `the wallet lets a session key get, put, list and delete: ${owner.key.did}`
    },
  },
  {
    name: 'put',
    async run(cast, wire) {
      const { etag } = assertStatus(
        await invoke(cast, wire, { ability: 'put', key: KEY, body: VALUE }),
        200,
      )
      return `${KEY} is on stable storage, etag ${etag}`
    },
  },
  {
    name: 'get',
    async run(cast, wire) {
      assertText(assertStatus(await invoke(cast, wire, { ability: 'get', key: KEY }), 200), VALUE)
      return `${KEY} says: ${VALUE}`
    },
  },
  {
    name: 'list',
    async run(cast, wire) {
      const answer = assertStatus(
        await invoke(cast, wire, { ability: 'list', key: SHARED_FOLDER }),
        200,
      )
      assertText(answer, JSON.stringify([KEY]))
      return `${SHARED_FOLDER} holds ${answer.text}`
    },
  },
  {
    name: 'share',
    async run({ friend }, wire) {
      await delegate(friend, wire)
      return `the session key lets somebody else read ${SHARED_FOLDER}: ${friend.key.did}`
    },
  },
  {
    name: 'read',
    async run(cast, wire) {
      const answer = await invoke(cast, wire, { actor: cast.friend, ability: 'get', key: KEY })
      assertText(assertStatus(answer, 200), VALUE)
      return `somebody else reads ${KEY}`
    },
  },
  {
    name: 'write',
    async run(cast, wire) {
      const request = { actor: cast.friend, ability: 'put', key: KEY, body: 'overwritten' }
      const { text } = assertStatus(await invoke(cast, wire, request), 401)
      return `and may not write it: ${text}`
    },
  },
  {
    name: 'revoke',
    async run(cast, wire) {
      const token = signShareRevocation(cast)
      assertStatus(await wire.exchange({ method: 'POST', path: '/revoke', token }), 200)
      return 'the session key takes that right back'
    },
  },
  {
    name: 'refused',
    async run(cast, wire) {
      const answer = await invoke(cast, wire, { actor: cast.friend, ability: 'get', key: KEY })
      const { text } = assertStatus(answer, 401)
      return `somebody else reads it no more: ${text}`
    },
  },
  {
    name: 'delete',
    async run(cast, wire) {
      assertStatus(await invoke(cast, wire, { ability: 'del', key: KEY }), 200)
      assertStatus(await invoke(cast, wire, { ability: 'get', key: KEY }), 404)
      return `${KEY} is gone`
    },
  },
]

async function delegate({ delegation: token }: Actor, wire: Wire): Promise<void> {
  assertStatus(await wire.exchange({ method: 'POST', path: '/delegate', token }), 200)
}

/** By the owner's key unless another actor is named. */
function invoke(
  cast: Cast,
  wire: Wire,
  request: {
    readonly actor?: Actor
    readonly ability: string
    readonly key: string
    readonly body?: string
  },
): Promise<WireAnswer> {
  const { actor = cast.owner, body } = request
  const token = signRequest(cast, actor, request)
  return wire.exchange({
    method: 'POST',
    path: '/invoke',
    token,
    ...(body !== undefined && { body }),
  })
}

function assertStatus(answer: WireAnswer, status: number): WireAnswer {
  if (answer.status !== status)
    throw new UnexpectedAnswer(
      `expected ${status}, but the node answered ${answer.status} ${answer.text}`,
    )
  return answer
}

function assertText({ text }: WireAnswer, expected: string): void {
  if (text !== expected)
    throw new UnexpectedAnswer(`expected ${expected}, but the node answered ${text}`)
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return { ...value }
  } catch {
    // Named below with the text that is no JSON.
  }
  throw new UnexpectedAnswer(`expected a JSON object, but the node answered ${text}`)
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

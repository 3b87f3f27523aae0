/** Resources: the text and its parts are the same thing, and a right on a folder never reaches out of it. */
import {
  coversResource,
  formatResource,
  parseResource,
  parseSpaceId,
  type Resource,
  rootAuthorityOf,
  type SpaceResource,
} from '../../src/protocol/resource.ts'
import { isNormalUri, isUri } from '../../src/protocol/uri.ts'
import { describeTextFuzz, describeValueFuzz } from '../_util/fuzz/harness.ts'
import { assertTrue, parsed, verdictOf } from '../_util/fuzz/refusal.ts'
import { kindredResources, resourceTexts, spaceIds } from '../_util/fuzz/uri-texts.ts'
import { editedText } from '../_util/fuzz/edits.ts'

const URI_CHARACTERS = /^[\x21-\x7e]+$/

function assertSpaceResource(resource: SpaceResource, text: string): void {
  assertTrue(formatResource(resource) === resource.text, 'the text is made of its parts')
  assertTrue(resource.text.length === text.length, 'only the address is spelled anew')
  assertTrue(parseSpaceId(resource.space).owner === resource.owner, 'the space names its owner')
  assertTrue(resource.owner.startsWith('did:'), 'the owner is a DID')
  assertTrue(rootAuthorityOf(resource) === resource.owner, 'the owner has all rights')
  const segments = (resource.path ?? '').split('/')
  assertTrue(!segments.some((part) => part === '.' || part === '..'), 'no segment of dots')
  assertTrue(!/%[0-9a-f]?[a-f]|%2E|%2D|%7E|%5F/.test(resource.path ?? ''), 'one spelling')
  assertTrue(!/[?#]/.test(resource.space + resource.service), 'parts hold no delimiter')
}

describeTextFuzz({
  name: 'resource',
  inputs: resourceTexts,
  check: (text) => {
    const resource = parsed(() => parseResource(text))
    assertTrue((resource !== undefined) === isUri(text), 'every URI is a resource')
    if (!resource) return false
    assertTrue(URI_CHARACTERS.test(text), 'a URI is printable ASCII')
    const again = parseResource(resource.text)
    assertTrue(again.kind === resource.kind && again.text === resource.text, 'one spelling')
    assertTrue(coversResource(resource, again), 'a resource covers itself')
    if (resource.kind === 'space') {
      assertTrue(isNormalUri(text), 'a space resource is in normal form')
      assertSpaceResource(resource, text)
    }
    return true
  },
})

describeTextFuzz({
  name: 'space id',
  inputs: editedText(spaceIds),
  check: (text) => {
    const { value: id } = verdictOf(['SPACE_ID_INVALID'], () => parseSpaceId(text))
    if (!id) return false
    assertTrue(parseSpaceId(id.space).space === id.space, 'one spelling')
    assertTrue(id.space.length === text.length, 'only the address is spelled anew')
    assertTrue(id.space.endsWith(`:${id.name}`) && !/[/?#:]/.test(id.name), 'it ends with its name')
    return true
  },
})

/** The rule once more, in folders instead of characters. */
function isInside(base: SpaceResource, child: SpaceResource): boolean {
  if (base.space !== child.space || base.service !== child.service) return false
  if (base.fragment !== child.fragment) return false
  if (base.path === undefined) return true
  if (child.path === undefined) return false
  if (base.path === child.path) return true
  const folder = base.path.split('/')
  const inside = child.path.split('/')
  // A last slash makes an empty segment, which is the folder itself. The empty path is the key of no characters.
  if (folder.at(-1) === '' && base.path !== '') folder.pop()
  return folder.length < inside.length && folder.every((part, index) => part === inside[index])
}

/** Equal but for the query, which rights do not look at. */
function isSamePlace(a: Resource, b: Resource): boolean {
  if (a.kind === 'other' || b.kind === 'other') return a.text === b.text
  return a.path === b.path && a.space === b.space && a.service === b.service
}

describeValueFuzz<readonly string[]>({
  name: 'containment',
  inputs: kindredResources,
  check: (texts) => {
    const [a, b, c] = texts.map((text) => parsed(() => parseResource(text)))
    if (!a || !b || !c) return false
    const isCovered = coversResource(a, b)
    if (a.kind === 'space' && b.kind === 'space')
      assertTrue(isCovered === isInside(a, b), 'covered is inside')
    assertTrue(!isCovered || a.kind === b.kind, 'a space covers nothing but its own')
    if (isCovered && coversResource(b, a)) assertTrue(isSamePlace(a, b), 'one way, or the same')
    if (isCovered && coversResource(b, c)) assertTrue(coversResource(a, c), 'transitive')
    return isCovered
  },
})

/** How `storage.history` is said to people, and told apart from what it was before. */
import { type KeepRule } from './storage/request.ts'

export const NOTHING_KEPT: KeepRule = { kind: 'none' }

export function describeKeepRule(rule: KeepRule): string {
  switch (rule.kind) {
    case 'none':
      return 'none'
    case 'versions':
      return `${rule.versions} versions`
    case 'time':
      return `${rule.seconds} seconds`
  }
}

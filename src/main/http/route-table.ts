/**
 * Every route of the node, once: the server registers what stands here, and `/openapi.json` describes it. What is not
 * here is 404 (HTTP-1). HEAD is answered wherever GET is (HTTP-7).
 */
import { DELEGATION_ROUTES } from './api/delegation-routes.ts'
import { INVOKE_ROUTE } from './api/invoke-route.ts'
import { NODE_ROUTES } from './api/node-routes.ts'
import { OPEN_READ_ROUTES } from './api/open-read-routes.ts'
import { type RouteDescription } from './api/route-description.ts'

export const ROUTES: readonly RouteDescription[] = [
  ...NODE_ROUTES,
  ...DELEGATION_ROUTES,
  INVOKE_ROUTE,
  ...OPEN_READ_ROUTES,
]

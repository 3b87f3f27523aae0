/** The only file that knows where worker files are: `.ts` beside the sources, `.js` in the package. */
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'

const workerUrl = (path: string): URL => new URL(`${path}.${extension}`, import.meta.url)

export const COMPUTE_WORKER_URL: URL = workerUrl('./compute/compute.worker')
export const STORAGE_WORKER_URL: URL = workerUrl('./storage/storage.worker')
export const MAINTENANCE_WORKER_URL: URL = workerUrl('./maintenance/maintenance.worker')

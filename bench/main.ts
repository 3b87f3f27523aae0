/** What `npm run bench` starts. */
import { runCommand } from './run.ts'

await runCommand(process.argv.slice(2))

/** What of the network this node may ask, by its configuration. Nothing is asked before a token raises it. */
import { type NodeConfig } from '../config/node-config.ts'
import { Allowlist } from './allowlist.ts'
import { Network } from './network.ts'

/** `onFault`: a host that the operator named did not answer; `host` is the setting that names it. */
export function openNetwork(
  { allowlistUrl }: Pick<NodeConfig, 'allowlistUrl'>,
  onFault: (host: string, fault: Error) => void,
): Network {
  const nowMs = (): number => performance.now()
  return new Network({
    allowlist:
      allowlistUrl === undefined
        ? undefined
        : new Allowlist({
            url: new URL(allowlistUrl),
            nowMs,
            onFault: (fault) => onFault('spaces.allowlist', fault),
          }),
  })
}

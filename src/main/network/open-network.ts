/** What of the network this node may ask, by its configuration. Nothing is asked before a token raises it. */
import { type NodeConfig, type NodeSecrets } from '../config/node-config.ts'
import { Allowlist } from './allowlist.ts'
import { ContractSignatures } from './contract-signatures.ts'
import { Network } from './network.ts'
import { type Reach, WebKeys } from './web-keys.ts'

export interface NetworkDeps {
  /** A host that the operator named did not answer; `host` is the setting that names it. */
  readonly onFault: (host: string, fault: Error) => void
  readonly reach?: Reach | undefined
}

const nowMs = (): number => performance.now()

export function openNetwork(
  { allowlistUrl, didWeb }: Pick<NodeConfig, 'allowlistUrl' | 'didWeb'>,
  { rpcUrls }: Pick<NodeSecrets, 'rpcUrls'>,
  { onFault, reach }: NetworkDeps,
): Network {
  return new Network({
    allowlist:
      allowlistUrl === undefined
        ? undefined
        : new Allowlist({
            url: new URL(allowlistUrl),
            nowMs,
            onFault: (fault) => onFault('spaces.allowlist', fault),
          }),
    webKeys: didWeb ? new WebKeys({ nowMs, reach }) : undefined,
    contracts:
      rpcUrls.size === 0
        ? undefined
        : new ContractSignatures({
            rpcUrls,
            nowMs,
            onFault: (chainId, fault) => onFault(`ethereum.rpc_urls ${chainId}`, fault),
          }),
  })
}

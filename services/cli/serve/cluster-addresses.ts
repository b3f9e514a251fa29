import type { ChipInfo } from '../../client/index.ts';
import type { RunningCluster } from '../../runtime/cluster/launch.ts';

const DEFAULT_CLUSTER = 'sohu';

/** Where a cluster is and how to talk to it, ready to paste. */
export function clusterAddresses(cluster: RunningCluster, chips: readonly ChipInfo[]): string {
  const { natsUrl, monitoringUrl, metricsAddress, gatewayUrl, grpcAddress } = cluster;
  const named = cluster.cluster !== DEFAULT_CLUSTER;
  const connectOptions = named ? `, { cluster: '${cluster.cluster}' }` : '';
  const clusterFlag = named ? ` --cluster ${cluster.cluster}` : '';
  const lines = [
    ...(gatewayUrl === undefined
      ? []
      : [
          ['HTTP', `${gatewayUrl}/v1 (as OpenAI’s)`],
          ['Console', `${gatewayUrl}/console/`],
        ]),
    ['Broker', `${natsUrl} (its pages: ${monitoringUrl})`],
    ...(grpcAddress === undefined ? [] : [['gRPC', `${grpcAddress} (without encryption)`]]),
    ['Metrics', `http://${metricsAddress}/metrics (coordinator)`],
    ...chips.map((chip) => ['', `http://${chip.metricsAddress}/metrics (chip ${chip.rank})`]),
    ...(gatewayUrl === undefined ? [] : [['', `${gatewayUrl}/metrics (gateway, vLLM’s names)`]]),
    ['Try', `npx sohu run${clusterFlag} "Once upon a time"`],
    ['Or', `import { SohuClient } from 'sohu/client';`],
    ['', `const client = await SohuClient.connect('${natsUrl}'${connectOptions});`],
  ];
  return lines.map(([title, text]) => `${title!.padEnd(8)} ${text}`).join('\n');
}

/** Forwardings in every state that a report shows. Times are relative to `now`. */
import type { ClusterServer } from './cluster-server.ts';

const shop = '3e551b39-227d-4297-b911-e68fd5d77c17';
const forum = '4e551b39-227d-4297-b911-e68fd5d77c17';
const organizationID = '998db3e4-5cb7-4dd5-b51c-9878096a6999';

export function putSample(cluster: ClusterServer, now: Date): void {
  const ago = (hours: number) => new Date(now.getTime() - hours * 3_600_000).toISOString();
  const condition = (type: string, status: string, reason: string) => ({
    type,
    status,
    reason,
    message: '',
    lastTransitionTime: ago(100),
  });
  const destination = (name: string) => ({ name, id: '2c1f0c4e-8a3b-4f0e-9d53-0a5f6c7d8e91' });
  cluster.putForwarding('platform/sumologic', {
    metadata: {
      creationTimestamp: ago(150),
      managedFields: [
        { manager: 'kubectl-client-side-apply', operation: 'Update', time: ago(90) },
        { manager: 'konnect-audit-log-operator', operation: 'Update', time: ago(1), subresource: 'status' },
      ],
    },
    spec: { konnect: { region: 'us' }, organization: {}, portals: [{ id: shop }, { id: forum }] },
    status: {
      konnect: { organizationID, region: 'us' },
      destination: destination('platform/sumologic'),
      conditions: [condition('Ready', 'True', 'InSync'), condition('Verified', 'True', 'AllFound')],
      organization: { api: 'v3', enabled: true, state: 'on' },
      portals: [shop, forum].map((id) => ({ id, enabled: true, state: 'on' })),
      delivery: [
        { key: 'organization', state: 'Delivered', lastResponseCode: 200, lastDeliveredTime: ago(0.2) },
        {
          key: shop,
          state: 'Delivered',
          lastResponseCode: 200,
          lastDeliveredTime: ago(0.5),
          replay: { from: ago(60), to: ago(48), state: 'Completed', requestedTime: ago(47) },
        },
        {
          key: forum,
          state: 'Failing',
          lastResponseCode: 401,
          lastDeliveredTime: ago(30),
          failingSince: ago(28),
          earlierGaps: [{ from: ago(70), to: ago(66) }],
          gap: { from: ago(30) },
        },
      ],
      verification: {
        lastVerifiedTime: ago(0.3),
        entries: 1204,
        found: 1204,
        missing: 0,
        unsigned: 0,
        invalidSignatures: 0,
        foreign: 0,
      },
      corrections: [{ object: `portal/${shop}`, at: [ago(20), ago(4)] }],
      lastObservedTime: ago(0.1),
    },
  });
  cluster.putForwarding('payments/splunk', {
    metadata: { creationTimestamp: ago(40) },
    spec: { konnect: { region: 'eu' }, organization: {} },
    status: {
      destination: destination('<b>cards & "more"'),
      organization: { api: 'v3', enabled: true, state: 'refused', reason: 'WebhookInUse' },
      lastObservedTime: ago(0.1),
    },
  });
  cluster.put('/api/v1/namespaces/platform/events/one', {
    metadata: { name: 'one', namespace: 'platform' },
    involvedObject: { namespace: 'platform', name: 'sumologic' },
    type: 'Warning',
    reason: 'EndpointRejected',
    message: `portal ${forum}: deliveries fail because the endpoint rejects the authorization (HTTP 401)`,
    lastTimestamp: ago(28),
  });
  cluster.put('/apis/apps/v1/namespaces/operators/deployments/operator', {
    metadata: { name: 'operator', namespace: 'operators' },
    spec: { template: { spec: { containers: [{ image: 'registry.example.com/konnect-audit-log-operator:0.1.0' }] } } },
  });
  cluster.put('/version', { metadata: { name: 'version' }, gitVersion: 'v1.37.2' });
}

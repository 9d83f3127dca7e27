import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import * as z from 'zod';
import { renderDashboard } from '../../scripts/monitoring/dashboard.ts';
import { renderRules } from '../../scripts/monitoring/rules.ts';
import { parseConfig } from '../../src/config/config.ts';
import { useRenderedChart } from '../support/rendered-chart.ts';

const { render, renderPod, refusal } = useRenderedChart();

const PrometheusRule = z.object({
  spec: z.object({
    groups: z.array(z.looseObject({ rules: z.array(z.looseObject({ alert: z.string().optional() })) })),
  }),
});

describe('RBAC', () => {
  const rbac = async (...sets: readonly string[]) =>
    (await render(...sets))
      .filter(({ kind }) => /Role/.test(kind))
      .map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}`.trim());

  test('covers the whole cluster or the listed namespaces, unless the values disable it', async () => {
    const open = 'metrics.secure=false,rbac.aggregate.view=false,rbac.aggregate.edit=false';
    expect((await rbac(open)).toSorted()).toEqual([
      'ClusterRole',
      'ClusterRoleBinding',
      'Role operators',
      'RoleBinding operators',
    ]);
    expect((await rbac(open, 'watchNamespaces={team-a,team-b}')).toSorted()).toEqual([
      'Role operators',
      'Role team-a',
      'Role team-b',
      'RoleBinding operators',
      'RoleBinding team-a',
      'RoleBinding team-b',
    ]);
    expect(await rbac(open, 'leaderElection.enabled=false')).toEqual(['ClusterRole', 'ClusterRoleBinding']);
    expect(await rbac('rbac.create=false')).toEqual([]);
  });

  test('allows the operator to create a Lease, and to read and patch its own, in its namespace', async () => {
    // The same namespace has a second Role, and the names are as long as possible.
    const objects = await render(`fullnameOverride=${'long-'.repeat(12)}end`, 'watchNamespaces={operators}');
    const roles = objects.filter(({ kind, metadata }) => kind === 'Role' && metadata.namespace === 'operators');
    expect(new Set(roles.map(({ metadata }) => metadata.name)).size).toBe(2);
    for (const { metadata } of roles) expect(metadata.name.length).toBeLessThanOrEqual(63);
    expect(roles.map((role) => role['rules'])).toContainEqual([
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
      {
        apiGroups: ['coordination.k8s.io'],
        resources: ['leases'],
        resourceNames: [`${'long-'.repeat(12)}end`],
        verbs: ['get', 'patch'],
      },
    ]);
  });

  test.each([
    ['', 3],
    ['watchNamespaces={team-a}', 3],
    ['metrics.secure=false', 0],
    ['metrics.enabled=false', 0],
    ['rbac.create=false', 0],
  ])('allows the operator to authenticate clients of metrics only if it has to: %s', async (set, count) => {
    const objects = await render(...(set === '' ? [] : [set]));
    expect(objects.filter(({ metadata }) => /-metrics-(auth|reader)$/.test(metadata.name))).toHaveLength(count);
  });

  test.each([[], ['watchNamespaces={team-a}']])(
    'allows the operator to read KonnectAPIAuthConfigurations only with authRefs: %s',
    async (...sets) => {
      const rules = async (...more: readonly string[]) => JSON.stringify(await render(...sets, ...more));
      const granted = '"resources":["konnectapiauthconfigurations"],"verbs":["get","list","watch"]';
      expect(await rules()).not.toContain('konnectapiauthconfigurations');
      expect(await rules('authRefs=true')).toContain(granted);
    },
  );

  test('aggregates to roles of Kubernetes only rights on forwardings, and none on their status', async () => {
    const aggregated = async (...sets: readonly string[]) =>
      (await render(...sets))
        .filter(({ metadata }) => JSON.stringify(metadata.labels).includes('aggregate-to'))
        .map(({ metadata, ...rest }) => [metadata.name, rest['rules']]);
    const rule = (...verbs: readonly string[]) => [
      { apiGroups: ['konnect-audit-log.io'], resources: ['auditlogforwardings'], verbs },
    ];
    const view = ['konnect-audit-log-operator-view', rule('get', 'list', 'watch')];
    const edit = ['konnect-audit-log-operator-edit', rule('create', 'update', 'patch', 'delete', 'deletecollection')];
    expect(await aggregated()).toEqual([view, edit]);
    expect(await aggregated('rbac.aggregate.edit=false')).toEqual([view]);
    expect(await aggregated('rbac.create=false')).toEqual([]);
  });

  test('binds the readers of metrics', async () => {
    const bound = async (...sets: readonly string[]) =>
      (await render(...sets)).filter(
        ({ kind, metadata }) => kind === 'ClusterRoleBinding' && metadata.name.endsWith('-metrics-reader'),
      );
    const readers = ['metrics.readers[0].namespace=monitoring', 'metrics.readers[0].name=prometheus'];
    expect(await bound()).toEqual([]);
    expect(await bound(...readers, 'metrics.secure=false')).toEqual([]);
    expect(await bound(...readers)).toMatchObject([
      {
        roleRef: { kind: 'ClusterRole', name: 'konnect-audit-log-operator-metrics-reader' },
        subjects: [{ kind: 'ServiceAccount', namespace: 'monitoring', name: 'prometheus' }],
      },
    ]);
  });

  test('is bound to the ServiceAccount of the Pod', async () => {
    const objects = await render('serviceAccount.create=false', 'serviceAccount.name=mine');
    expect(objects.filter(({ kind }) => kind === 'ServiceAccount')).toEqual([]);
    expect(objects.find(({ kind }) => kind === 'ClusterRoleBinding')).toMatchObject({
      subjects: [{ kind: 'ServiceAccount', name: 'mine', namespace: 'operators' }],
    });
    expect((await renderPod('serviceAccount.create=false', 'serviceAccount.name=mine')).spec).toMatchObject({
      serviceAccountName: 'mine',
      automountServiceAccountToken: true,
    });
  });
});

describe('replicas', () => {
  const deployment = async (...sets: readonly string[]) =>
    (await render(...sets)).find(({ kind }) => kind === 'Deployment')?.['spec'];

  test('are replaced one by one: the new replica is ready before the old one stops', async () => {
    const rolling = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } };
    expect(await deployment()).toMatchObject({ replicas: 1, strategy: rolling });
    expect(await deployment('replicas=3')).toMatchObject({ replicas: 3, strategy: rolling });
  });

  test('need leader election: without it, the old replica stops first', async () => {
    const noElection = 'leaderElection.enabled=false';
    expect(await deployment(noElection)).toMatchObject({ replicas: 1, strategy: { type: 'Recreate' } });
    expect((await renderPod(noElection)).container.args.filter((arg) => arg.startsWith('--leader-elect'))).toEqual([
      '--leader-elect=false',
    ]);
    expect(await deployment(noElection, 'replicas=0')).toMatchObject({ replicas: 0 });
    expect(await refusal(noElection, 'replicas=2')).toContain('replicas');
  });

  test('run on different nodes and in different zones if possible, or as the values say', async () => {
    const soft = (topologyKey: string) =>
      expect.objectContaining({ topologyKey, whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 1 });
    const spread = async (...sets: readonly string[]) => (await renderPod(...sets)).spec['topologySpreadConstraints'];
    expect(await spread()).toBeUndefined();
    expect(await spread('replicas=2')).toEqual([soft('kubernetes.io/hostname'), soft('topology.kubernetes.io/zone')]);
    expect(await spread('replicas=2', 'topologySpreadConstraints[0].topologyKey=rack')).toEqual([
      { topologyKey: 'rack' },
    ]);
  });

  test('are evicted one at a time if the values enable a disruption budget', async () => {
    const budget = async (...sets: readonly string[]) =>
      (await render(...sets)).find(({ kind }) => kind === 'PodDisruptionBudget')?.['spec'];
    expect(await budget()).toBeUndefined();
    expect(await budget('podDisruptionBudget.enabled=true')).toMatchObject({ maxUnavailable: 1 });
    const two = 'podDisruptionBudget.maxUnavailable=2';
    expect(await budget('podDisruptionBudget.enabled=true', two)).toMatchObject({ maxUnavailable: 2 });
  });
});

describe('metrics', () => {
  const monitored = 'metrics.serviceMonitor.enabled=true';
  const endpoint = async (...sets: readonly string[]) => {
    const monitor = (await render(monitored, ...sets)).find(({ kind }) => kind === 'ServiceMonitor');
    return z.object({ spec: z.object({ endpoints: z.tuple([z.looseObject({})]) }) }).parse(monitor).spec.endpoints[0];
  };
  const plain = { port: 'metrics', path: '/metrics', interval: '30s', honorLabels: true };
  const secure = { ...plain, scheme: 'https', tlsConfig: { insecureSkipVerify: true } };

  test('are scraped over TLS with the token of the chart, or with the token file of Prometheus if the values ask for it', async () => {
    const name = 'konnect-audit-log-operator-metrics-client';
    expect(await endpoint()).toEqual({ ...secure, authorization: { credentials: { name, key: 'token' } } });
    expect(await endpoint('metrics.serviceMonitor.createToken=false')).toEqual({
      ...secure,
      bearerTokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token',
    });
    expect(await endpoint('metrics.secure=false')).toEqual(plain);
  });

  test('are scraped with the settings of the values', async () => {
    const { scheme, tlsConfig, authorization, ...rest } = await endpoint(
      'metrics.serviceMonitor.tlsConfig.insecureSkipVerify=null',
      'metrics.serviceMonitor.tlsConfig.serverName=operator.example.com',
      'metrics.serviceMonitor.authorization.credentials.name=token',
      'metrics.serviceMonitor.authorization.credentials.key=token',
    );
    expect({ scheme, tlsConfig, authorization }).toEqual({
      scheme: 'https',
      tlsConfig: { serverName: 'operator.example.com' },
      authorization: { credentials: { name: 'token', key: 'token' } },
    });
    expect(rest).toEqual(plain);
  });

  test('keep their own labels in Prometheus unless the values say otherwise', async () => {
    expect(await endpoint('metrics.serviceMonitor.honorLabels=false')).toMatchObject({ honorLabels: false });
  });

  test.each([
    'metrics.serviceMonitor.createToken=false',
    'metrics.serviceMonitor.authorization.credentials.name=token',
    'metrics.secure=false',
  ])('need no token of the chart with %s', async (set) => {
    const names = (await render(monitored, set)).map(({ metadata }) => metadata.name);
    expect(names.filter((name) => name.endsWith('-metrics-client'))).toEqual([]);
  });

  test('are scraped with a token that may only read them', async () => {
    const name = 'konnect-audit-log-operator-metrics-client';
    const objects = await render(monitored);
    const named = objects.filter(({ metadata }) => metadata.name === name);
    expect(named.map((object) => object.kind)).toEqual(['ServiceAccount', 'Secret', 'ClusterRoleBinding']);
    expect(objects.map((object) => `${object.kind}/${object.metadata.name}`)).toContain(
      'ClusterRole/konnect-audit-log-operator-metrics-reader',
    );
    expect(named).toMatchObject([
      {},
      { metadata: { annotations: { 'kubernetes.io/service-account.name': name } } },
      {
        roleRef: { name: 'konnect-audit-log-operator-metrics-reader' },
        subjects: [{ kind: 'ServiceAccount', name, namespace: 'operators' }],
      },
    ]);
  });

  test('have alerts if the values ask for them, without those that they leave out, and with their own severity and time', async () => {
    const rules = async (...sets: readonly string[]) => {
      const rule = (await render(...sets)).find(({ kind }) => kind === 'PrometheusRule');
      return rule === undefined ? undefined : { labels: rule.metadata.labels, ...PrometheusRule.parse(rule).spec };
    };
    const enabled = 'metrics.prometheusRule.enabled=true';
    expect(await rules()).toBeUndefined();
    expect((await rules(enabled))?.groups).toEqual(parse(renderRules()).groups);
    const changed = await rules(
      enabled,
      'metrics.prometheusRule.labels.release=prometheus',
      'metrics.prometheusRule.disabled={KonnectAuditLogSilent}',
      'metrics.prometheusRule.severity.KonnectAuditLogNotReady=page',
      'metrics.prometheusRule.for.KonnectAuditLogNotReady=1h',
      'metrics.prometheusRule.runbookURL=https://docs.example.com/alerts.md',
    );
    expect(changed?.labels).toMatchObject({ release: 'prometheus' });
    const all = changed?.groups.flatMap((group) => group.rules) ?? [];
    expect(all.find(({ alert }) => alert === 'KonnectAuditLogSilent')).toBeUndefined();
    expect(all.find(({ alert }) => alert === 'KonnectAuditLogNotReady')).toMatchObject({
      for: '1h',
      labels: { severity: 'page' },
      annotations: { runbook_url: 'https://docs.example.com/alerts.md#konnectauditlognotready' },
    });
    expect(all.find(({ alert }) => alert === 'KonnectAuditLogStalled')).toMatchObject({ for: '5m' });
    expect(await refusal(enabled, 'metrics.prometheusRule.disabled={NotReady}')).toContain('no alert NotReady');
    expect(await refusal(enabled, 'metrics.enabled=false')).toContain('metrics.enabled');
  });

  test('have a dashboard in a ConfigMap that the sidecar of Grafana finds, if the values ask for it', async () => {
    const dashboards = async (...sets: readonly string[]) =>
      (await render(...sets)).filter(({ kind }) => kind === 'ConfigMap');
    expect(await dashboards()).toEqual([]);
    const [made] = await dashboards('metrics.dashboard.enabled=true', 'metrics.dashboard.annotations.folder=Logs');
    expect(made?.metadata).toMatchObject({ labels: { grafana_dashboard: '1' }, annotations: { folder: 'Logs' } });
    expect(made?.['data']).toEqual({ 'konnect-audit-logs.json': renderDashboard().trim() });
  });

  test('use the certificate of one Secret, while another Secret has the certificate authorities', async () => {
    const named = 'metrics.certificate.secretName=metrics-tls';
    const { spec, container } = await renderPod(named, 'extraCACertificates.secret.name=corporate');
    const mountPath = '/etc/konnect-audit-log-operator/metrics';
    expect(container['volumeMounts']).toContainEqual({ name: 'metrics', mountPath, readOnly: true });
    expect(container['volumeMounts']).toHaveLength(2);
    expect(spec['volumes']).toContainEqual({ name: 'metrics', secret: { secretName: 'metrics-tls' } });
    expect(parseConfig(container.args, {})).toMatchObject({
      config: { metricsSecure: true, metricsCertDir: mountPath },
    });
    for (const unused of ['metrics.secure=false', 'metrics.enabled=false']) {
      expect((await renderPod(named, unused)).spec).not.toHaveProperty('volumes');
    }
  });
});

test('the NetworkPolicy allows DNS on the standard port and on the port of OpenShift', async () => {
  const policy = async (...sets: readonly string[]) =>
    (await render('networkPolicy.enabled=true', ...sets)).find(({ kind }) => kind === 'NetworkPolicy')?.['spec'];
  const dns = (...ports: readonly number[]) => ({
    egress: [
      { ports: ports.flatMap((port) => [{ port, protocol: 'UDP' }, { port }]) },
      { ports: [{ port: 443 }, { port: 6443 }] },
    ],
  });
  expect(await policy()).toMatchObject(dns(53, 5353));
  expect(await policy('networkPolicy.dnsPorts={53}')).toMatchObject(dns(53));
});

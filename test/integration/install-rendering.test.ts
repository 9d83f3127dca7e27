import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import * as z from 'zod';
import { ensureHelm } from '../../sandbox/control-plane/helm.ts';
import { chartFolder, chartValues, manifestsFile, renderManifests } from '../../scripts/render.ts';
import { parseConfig } from '../../src/config/config.ts';
import { type Helm, prepareHelm } from '../support/helm.ts';

const KubeObject = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    labels: z.record(z.string(), z.string()),
  }),
});

const Deployment = z.object({
  spec: z.object({
    template: z.object({
      metadata: z.object({ labels: z.record(z.string(), z.string()) }),
      spec: z.looseObject({
        terminationGracePeriodSeconds: z.number(),
        containers: z.tuple([
          z.looseObject({
            image: z.string(),
            args: z.array(z.string()),
            env: z.array(z.looseObject({ name: z.string(), value: z.string() })).optional(),
          }),
        ]),
      }),
    }),
  }),
});

let folder: string;
let helm: Helm;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chart-test-'));
  helm = await prepareHelm({ folder });
});

afterAll(() => rm(folder, { recursive: true }));

const template = (sets: readonly string[], allowFailure = false) =>
  helm(
    ['template', 'konnect-audit-log-operator', chartFolder, '-n', 'operators', ...sets.map((set) => `--set=${set}`)],
    { allowFailure },
  );

async function render(...sets: readonly string[]) {
  const { stdout } = await template(sets);
  return parseAllDocuments(stdout).flatMap((document) => {
    const object: unknown = document.toJS();
    return object === null ? [] : [KubeObject.parse(object)];
  });
}

async function renderPod(...sets: readonly string[]) {
  const deployment = (await render(...sets)).find(({ kind }) => kind === 'Deployment');
  const { metadata, spec } = Deployment.parse(deployment).spec.template;
  return { labels: metadata.labels, spec, container: spec.containers[0] };
}

async function refusal(...sets: readonly string[]): Promise<string> {
  const { code, stderr } = await template(sets, true);
  expect(code).toBe(1);
  return stderr;
}

test('deploy/ holds what the chart renders with its defaults', async () => {
  const made = await renderManifests(await ensureHelm({ progress: () => undefined }));
  const committed = await readFile(join(import.meta.dirname, '../..', manifestsFile), 'utf8');
  expect(committed === made ? 'up to date' : 'run npm run generate').toBe('up to date');
});

describe('the arguments', () => {
  test('are the operator’s own defaults unless values say otherwise', async () => {
    const { container } = await renderPod();
    const home = { HOME: '/home/nonroot' };
    expect(parseConfig(container.args, home)).toEqual(parseConfig(['--leader-elect'], home));
  });

  test('say what values say', async () => {
    const { container } = await renderPod(
      'clusterName=blue',
      'watchNamespaces={team-a,team-b,team-a}',
      'konnectURL=https://konnect.example.com/{region}',
      'konnectTimeout=30s',
      'konnectQPS=20',
      'konnectBurst=40',
      'staleListWindow=1m',
      'maxConcurrentReconciles=16',
      'gracePeriod=1m30s',
      'fullnameOverride=konnect',
      'leaderElection.leaseDuration=1m',
      'leaderElection.renewDeadline=40s',
      'leaderElection.retryPeriod=5s',
      'metrics.enabled=false',
      'healthProbe.port=9081',
      'logLevel=debug',
      'logFormat=text',
    );
    expect(parseConfig(container.args, {})).toEqual({
      kind: 'config',
      config: expect.objectContaining({
        clusterName: 'blue',
        watchNamespaces: ['team-a', 'team-b'],
        konnectURL: 'https://konnect.example.com/{region}',
        konnectTimeoutMs: 30_000,
        konnectQPS: 20,
        konnectBurst: 40,
        staleListWindowMs: 60_000,
        maxConcurrentReconciles: 16,
        gracePeriodMs: 90_000,
        leaderElect: true,
        leaderElectLeaseDurationMs: 60_000,
        leaderElectRenewDeadlineMs: 40_000,
        leaderElectRetryPeriodMs: 5_000,
        leaderElectResourceName: 'konnect',
        // That of the Pod.
        leaderElectResourceNamespace: undefined,
        metricsBindAddress: undefined,
        healthProbeBindAddress: { host: undefined, port: 9081 },
        logLevel: 'debug',
        logFormat: 'text',
      }),
    });
  });

  test('end with those given as they are, which win', async () => {
    const { container } = await renderPod('extraArgs={--log-level=warn}');
    expect(parseConfig(container.args, {})).toMatchObject({ kind: 'config', config: { logLevel: 'warn' } });
  });
});

describe('the Pod', () => {
  test.each([
    ['20s', 30],
    ['1m30s', 100],
    ['1h', 3610],
    ['1500ms', 12],
  ])('has ten seconds more to end than the grace period %s', async (gracePeriod, seconds) => {
    const { spec } = await renderPod(`gracePeriod=${gracePeriod}`);
    expect(spec.terminationGracePeriodSeconds).toBe(seconds);
  });

  test.each([
    ['256Mi', '--max-old-space-size=160'],
    ['2Gi', '--max-old-space-size=1280'],
    ['256M', undefined],
    ['null', undefined],
  ])('has of a memory limit of %s as heap %s', async (limit, options) => {
    const { container } = await renderPod(`resources.limits.memory=${limit}`);
    expect(container.env?.find(({ name }) => name === 'NODE_OPTIONS')?.value).toBe(options);
  });

  test('has the options for Node that a user gives instead of the chart’s', async () => {
    const { container } = await renderPod('extraEnv[0].name=NODE_OPTIONS', 'extraEnv[0].value=--trace-gc');
    expect(container.env).toEqual([{ name: 'NODE_OPTIONS', value: '--trace-gc' }]);
  });

  test.each([
    ['configMap', { configMap: { name: 'corporate', items: [{ key: 'ca.crt', path: 'ca.crt' }] } }],
    ['secret', { secret: { secretName: 'corporate', items: [{ key: 'ca.crt', path: 'ca.crt' }] } }],
  ])('trusts the authorities of a %s', async (kind, volume) => {
    const { spec, container } = await renderPod(`extraCACertificates.${kind}.name=corporate`);
    const file = container.env?.find(({ name }) => name === 'NODE_EXTRA_CA_CERTS')?.value;
    const mountPath = '/etc/konnect-audit-log-operator/ca';
    expect(file).toBe(`${mountPath}/ca.crt`);
    expect(container['volumeMounts']).toEqual([{ name: 'ca', mountPath, readOnly: true }]);
    expect(spec['volumes']).toEqual([{ name: 'ca', ...volume }]);
  });

  test('reaches Konnect by the proxies that values name', async () => {
    const { container } = await renderPod(
      'httpsProxy=http://proxy.example.com:3128',
      'noProxy=konnect.internal\\,.example.org',
    );
    const env = Object.fromEntries((container.env ?? []).map(({ name, value }) => [name, value]));
    expect(parseConfig(container.args, env)).toMatchObject({
      kind: 'config',
      config: {
        proxies: { HTTPS_PROXY: 'http://proxy.example.com:3128', NO_PROXY: 'konnect.internal,.example.org' },
      },
    });
  });

  test('runs only on nodes with Linux, and on those that a user selects', async () => {
    expect((await renderPod()).spec['nodeSelector']).toEqual({ 'kubernetes.io/os': 'linux' });
    expect((await renderPod('nodeSelector.tier=control')).spec['nodeSelector']).toEqual({
      'kubernetes.io/os': 'linux',
      tier: 'control',
    });
  });

  test('has the DNS settings, hosts and volumes that a user gives, beside those of the chart', async () => {
    const { spec, container } = await renderPod(
      'dnsPolicy=None',
      'dnsConfig.nameservers={192.0.2.53}',
      'hostAliases[0].ip=192.0.2.10',
      'hostAliases[0].hostnames={proxy.example.com}',
      'extraVolumes[0].name=data',
      'extraVolumes[0].emptyDir.sizeLimit=1Mi',
      'extraVolumeMounts[0].name=data',
      'extraVolumeMounts[0].mountPath=/data',
      'extraCACertificates.secret.name=corporate',
    );
    expect(spec).toMatchObject({
      dnsPolicy: 'None',
      dnsConfig: { nameservers: ['192.0.2.53'] },
      hostAliases: [{ ip: '192.0.2.10', hostnames: ['proxy.example.com'] }],
      volumes: [{ name: 'ca' }, { name: 'data', emptyDir: { sizeLimit: '1Mi' } }],
    });
    expect(container['volumeMounts']).toEqual([
      expect.objectContaining({ name: 'ca' }),
      { name: 'data', mountPath: '/data' },
    ]);
  });

  test('runs the image of the chart’s version, of another tag, or of a digest', async () => {
    const digest = `sha256:${'ab'.repeat(32)}`;
    const repository = 'image.repository=registry.example.com/operator';
    const images = await Promise.all([
      renderPod(repository),
      renderPod(repository, 'image.tag=main'),
      renderPod(repository, 'image.tag=main', `image.digest=${digest}`),
    ]);
    expect(images.map(({ container }) => container.image)).toEqual([
      expect.stringMatching(/^registry\.example\.com\/operator:\d+\.\d+\.\d+$/),
      'registry.example.com/operator:main',
      `registry.example.com/operator@${digest}`,
    ]);
  });
});

describe('the labels', () => {
  test('of every object and of the Pod include a user’s, without losing the chart’s own', async () => {
    const sets = [
      'commonLabels.team=platform',
      'commonLabels.app\\.kubernetes\\.io/name=other',
      'networkPolicy.enabled=true',
      'metrics.serviceMonitor.enabled=true',
    ];
    const wanted = { team: 'platform', 'app.kubernetes.io/name': 'konnect-audit-log-operator' };
    const objects = await render(...sets);
    for (const { metadata } of objects) expect(metadata.labels).toMatchObject(wanted);
    expect(objects.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['NetworkPolicy', 'ServiceMonitor']));
    expect((await renderPod(...sets, 'podLabels.tier=one')).labels).toMatchObject({ ...wanted, tier: 'one' });
  });
});

describe('RBAC', () => {
  const rbac = async (...sets: readonly string[]) =>
    (await render(...sets))
      .filter(({ kind }) => /Role/.test(kind))
      .map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}`.trim());

  test('is for the whole cluster, or for the namespaces that are named, or somebody else’s affair', async () => {
    const open = 'metrics.secure=false';
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

  test('lets a Lease be made, and one be read and written, where the operator is', async () => {
    // With a Role of the same namespace beside it, under the longest name.
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
  ])(
    'lets the operator find out who asks for metrics, in the whole cluster, where it has to: %s',
    async (set, count) => {
      const objects = await render(...(set === '' ? [] : [set]));
      expect(objects.filter(({ metadata }) => /-metrics-(auth|reader)$/.test(metadata.name))).toHaveLength(count);
    },
  );

  test('is aggregated to no role of Kubernetes', async () => {
    expect(JSON.stringify(await render())).not.toContain('aggregate-to');
  });

  test('is given to the ServiceAccount that the Pod has', async () => {
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

describe('several copies', () => {
  const deployment = async (...sets: readonly string[]) =>
    (await render(...sets)).find(({ kind }) => kind === 'Deployment')?.['spec'];

  test('roll without a gap: a new one stands by before an old one ends', async () => {
    const rolling = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } };
    expect(await deployment()).toMatchObject({ replicas: 1, strategy: rolling });
    expect(await deployment('replicas=3')).toMatchObject({ replicas: 3, strategy: rolling });
  });

  test('need leader election, without which the old one ends first', async () => {
    const alone = 'leaderElection.enabled=false';
    expect(await deployment(alone)).toMatchObject({ replicas: 1, strategy: { type: 'Recreate' } });
    expect((await renderPod(alone)).container.args.filter((arg) => arg.startsWith('--leader-elect'))).toEqual([
      '--leader-elect=false',
    ]);
    expect(await deployment(alone, 'replicas=0')).toMatchObject({ replicas: 0 });
    expect(await refusal(alone, 'replicas=2')).toContain('replicas');
  });

  test('keep away from each other where there is room, or as a user says', async () => {
    const soft = (topologyKey: string) =>
      expect.objectContaining({ topologyKey, whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 1 });
    const spread = async (...sets: readonly string[]) => (await renderPod(...sets)).spec['topologySpreadConstraints'];
    expect(await spread()).toBeUndefined();
    expect(await spread('replicas=2')).toEqual([soft('kubernetes.io/hostname'), soft('topology.kubernetes.io/zone')]);
    expect(await spread('replicas=2', 'topologySpreadConstraints[0].topologyKey=rack')).toEqual([
      { topologyKey: 'rack' },
    ]);
  });

  test('are evicted one at a time where a budget is asked for', async () => {
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
  const bearerTokenFile = '/var/run/secrets/kubernetes.io/serviceaccount/token';

  test('are read by TLS and with a token, unless they are open to everybody', async () => {
    const tlsConfig = { insecureSkipVerify: true };
    expect(await endpoint()).toEqual({ ...plain, scheme: 'https', tlsConfig, bearerTokenFile });
    expect(await endpoint('metrics.secure=false')).toEqual(plain);
  });

  test('are read with what values say', async () => {
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

  test('have labels of their own that Prometheus keeps unless values say otherwise', async () => {
    expect(await endpoint('metrics.serviceMonitor.honorLabels=false')).toMatchObject({ honorLabels: false });
  });

  test('are read with a token of the chart where Prometheus may not use that of its own Pod', async () => {
    const created = 'metrics.serviceMonitor.createToken=true';
    const name = 'konnect-audit-log-operator-metrics-client';
    const { bearerTokenFile: _, ...rest } = await endpoint();
    expect(await endpoint(created)).toEqual({ ...rest, authorization: { credentials: { name, key: 'token' } } });
    const objects = await render(monitored, created);
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
    expect(await endpoint(created, 'metrics.secure=false')).toEqual(plain);
  });

  test('have the certificate of a Secret, beside the authorities of another', async () => {
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

test('the NetworkPolicy lets DNS out on its usual port and on that of OpenShift', async () => {
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

describe('a value without content', () => {
  const empty = (path: string) => template([`${path}=null`], true);

  test.each(
    chartValues()
      .map(({ path, default: preset }) => ({ path, preset }))
      .filter(({ preset }) => preset === '' || Array.isArray(preset) || typeof preset === 'object'),
  )('$path counts as an empty one, or is refused by name', async ({ path, preset }) => {
    const { code, stdout, stderr } = await empty(path);
    const isNeeded = Array.isArray(preset) && preset.length > 0;
    expect(stderr).toContain(isNeeded ? `missing property '${path.split('.').at(-1) ?? ''}'` : '');
    expect(code).toBe(isNeeded ? 1 : 0);
    expect(stdout).not.toMatch(/<nil>|%!/);
  });

  test.each(
    chartValues()
      .filter(({ default: preset }) => typeof preset !== 'object' && preset !== '')
      .map(({ path }) => path),
  )('%s is refused by name', async (path) => {
    const { code, stderr } = await empty(path);
    expect(stderr).toContain(`missing property '${path.split('.').at(-1) ?? ''}'`);
    expect(code).toBe(1);
  });

  test.each(['image', 'metrics', 'metrics.serviceMonitor', 'networkPolicy', 'leaderElection', 'extraCACertificates'])(
    'the section %s is refused by name',
    async (path) => {
      expect(await refusal(`${path}=null`)).toContain(`missing property '${path.split('.').at(-1) ?? ''}'`);
    },
  );
});

describe('NOTES.txt', () => {
  const notes = async (...sets: readonly string[]) => {
    const { stdout } = await helm([
      'install',
      'konnect-audit-log-operator',
      chartFolder,
      '--dry-run=client',
      '-n=operators',
      ...sets.map((set) => `--set=${set}`),
    ]);
    return stdout.slice(stdout.indexOf('NOTES:'));
  };

  test('has the next step, and the order of uninstalling', async () => {
    const text = await notes();
    const commands = text.split('\n').filter((line) => /^ {2}(kubectl|helm) /.test(line));
    expect(commands.map((line) => line.trim().split(' ').slice(0, 2).join(' '))).toEqual([
      'kubectl -n',
      'kubectl apply',
      'kubectl get',
      'kubectl create',
      'kubectl delete',
      'helm uninstall',
    ]);
    expect(text).toContain('kubectl delete auditlogforwardings --all --all-namespaces');
    expect(text).toContain('helm uninstall konnect-audit-log-operator --namespace operators --wait');
  });

  test('deletes only what this release watches', async () => {
    const text = await notes('watchNamespaces={team-a,team-b}');
    expect(text).toContain('kubectl delete auditlogforwardings --all --namespace team-a');
    expect(text).toContain('kubectl delete auditlogforwardings --all --namespace team-b');
    expect(text).not.toContain('--all-namespaces');
  });
});

describe('what is refused', () => {
  test.each([
    ['watchNamespace={a}', 'watchNamespace'],
    ['metrics.prot=1', 'prot'],
    ['metrics.secure=yes', 'secure'],
    ['metrics.certificate.secretname=tls', 'secretname'],
    ['image.tags=main', 'tags'],
    ['metrics.serviceMonitor.enable=true', 'enable'],
    ['logLevel=loud', 'logLevel'],
    ['gracePeriod=20', 'gracePeriod'],
    ['leaderElection.leaseDuration=15', 'leaseDuration'],
    ['leaderElection.enable=true', 'enable'],
    ['replicas=-1', 'replicas'],
    ['watchNamespaces=team-a', 'watchNamespaces'],
    ['konnectURL=https://api.konghq.com', 'konnectURL'],
    ['image.digest=latest', 'digest'],
    ['healthProbe.port=0', 'port'],
    ['extraVolumes[0].name=ca', 'extraVolumes'],
    ['networkPolicy.dnsPorts={}', 'dnsPorts'],
  ])('%s, by the name of the value', async (set, word) => {
    expect(await refusal(set)).toContain(word);
  });

  test.each([
    [['serviceAccount.create=false'], 'serviceAccount.name'],
    [['metrics.enabled=false', 'metrics.serviceMonitor.enabled=true'], 'metrics.enabled'],
    [
      [
        'metrics.serviceMonitor.enabled=true',
        'metrics.serviceMonitor.createToken=true',
        'metrics.serviceMonitor.authorization.type=Bearer',
      ],
      'createToken',
    ],
    [['extraCACertificates.configMap.name=a', 'extraCACertificates.secret.name=b'], 'extraCACertificates'],
  ])('%j, which do not go together', async (sets, word) => {
    expect(await refusal(...sets)).toContain(word);
  });
});

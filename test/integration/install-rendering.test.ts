import { globSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ensureHelm } from '../../sandbox/control-plane/helm.ts';
import { renderComponents } from '../../scripts/components.ts';
import { chartFolder, chartValues, manifestsFile, renderManifests } from '../../scripts/render.ts';
import { parseConfig } from '../../src/config/config.ts';
import { useRenderedChart } from '../support/rendered-chart.ts';

const { helm, template, render, renderPod, refusal } = useRenderedChart();

test('deploy/ equals the chart rendered with its defaults', async () => {
  const made = await renderManifests(await ensureHelm({ progress: () => undefined }));
  const committed = await readFile(join(import.meta.dirname, '../..', manifestsFile), 'utf8');
  expect(committed === made ? 'up to date' : 'run npm run generate').toBe('up to date');
});

test('deploy/components/ has what the values of the chart change', async () => {
  const made = await renderComponents(await ensureHelm({ progress: () => undefined }));
  const folder = join(import.meta.dirname, '../..');
  expect(globSync('deploy/components/*/*', { cwd: folder }).toSorted()).toEqual([...made.keys()].toSorted());
  const outdated = [...made].filter(([file, text]) => readFileSync(join(folder, file), 'utf8') !== text);
  expect(outdated.map(([file]) => `${file}: run npm run generate`)).toEqual([]);
});

describe('the arguments', () => {
  test('are the defaults of the operator unless the values say otherwise', async () => {
    const { container } = await renderPod();
    const home = { HOME: '/home/nonroot' };
    expect(parseConfig(container.args, home)).toEqual(parseConfig(['--leader-elect'], home));
  });

  test('follow the values', async () => {
    const { container } = await renderPod(
      'clusterName=blue',
      'watchNamespaces={team-a,team-b,team-a}',
      'watchLabelSelector=shard in (a\\, b)',
      'authRefs=true',
      'konnectURL=https://konnect.example.com/{region}',
      'sumoLogicURL=https://sumologic.example.com',
      'verificationDelay=20m',
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
        watchLabelSelector: 'shard in (a, b)',
        authRefs: true,
        konnectURL: 'https://konnect.example.com/{region}',
        sumoLogicURL: 'https://sumologic.example.com',
        verificationDelayMs: 1_200_000,
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
        // The operator uses the namespace of its Pod.
        leaderElectResourceNamespace: undefined,
        metricsBindAddress: undefined,
        healthProbeBindAddress: { host: undefined, port: 9081 },
        logLevel: 'debug',
        logFormat: 'text',
      }),
    });
  });

  test('end with extraArgs, which override the others', async () => {
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
  ])('has ten seconds more to stop than the grace period %s', async (gracePeriod, seconds) => {
    const { spec } = await renderPod(`gracePeriod=${gracePeriod}`);
    expect(spec.terminationGracePeriodSeconds).toBe(seconds);
  });

  test.each([
    ['256Mi', '--max-old-space-size=160'],
    ['2Gi', '--max-old-space-size=1280'],
    ['256M', undefined],
    ['null', undefined],
  ])('has, with a memory limit of %s, the heap option %s', async (limit, options) => {
    const { container } = await renderPod(`resources.limits.memory=${limit}`);
    expect(container.env?.find(({ name }) => name === 'NODE_OPTIONS')?.value).toBe(options);
  });

  test('has the Node options of the values instead of those of the chart', async () => {
    const { container } = await renderPod('extraEnv[0].name=NODE_OPTIONS', 'extraEnv[0].value=--trace-gc');
    expect(container.env).toEqual([{ name: 'NODE_OPTIONS', value: '--trace-gc' }]);
  });

  test.each([
    ['configMap', { configMap: { name: 'corporate', items: [{ key: 'ca.crt', path: 'ca.crt' }] } }],
    ['secret', { secret: { secretName: 'corporate', items: [{ key: 'ca.crt', path: 'ca.crt' }] } }],
  ])('trusts the certificate authorities of a %s', async (kind, volume) => {
    const { spec, container } = await renderPod(`extraCACertificates.${kind}.name=corporate`);
    const file = container.env?.find(({ name }) => name === 'NODE_EXTRA_CA_CERTS')?.value;
    const mountPath = '/etc/konnect-audit-log-operator/ca';
    expect(file).toBe(`${mountPath}/ca.crt`);
    expect(container['volumeMounts']).toEqual([{ name: 'ca', mountPath, readOnly: true }]);
    expect(spec['volumes']).toEqual([{ name: 'ca', ...volume }]);
  });

  test('reaches Konnect through the proxies of the values', async () => {
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

  test('runs only on nodes with Linux that match the node selector of the values', async () => {
    expect((await renderPod()).spec['nodeSelector']).toEqual({ 'kubernetes.io/os': 'linux' });
    expect((await renderPod('nodeSelector.tier=control')).spec['nodeSelector']).toEqual({
      'kubernetes.io/os': 'linux',
      tier: 'control',
    });
  });

  test('has the DNS settings, hosts and volumes of the values in addition to those of the chart', async () => {
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

  test('runs the image with the version of the chart, another tag, or a digest', async () => {
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

test('the Deployment has the annotations of the values', async () => {
  const deployment = (await render('deploymentAnnotations.team=platform')).find(({ kind }) => kind === 'Deployment');
  expect(deployment?.metadata['annotations']).toEqual({ team: 'platform' });
});

test('additional objects are part of the release, and may use the functions of Helm', async () => {
  const objects = await render(
    'extraObjects[0].apiVersion=v1',
    'extraObjects[0].kind=ConfigMap',
    'extraObjects[0].metadata.name=ca-of-{{ .Release.Name }}',
    'extraObjects[0].metadata.labels.team=platform',
    'extraObjects[0].data.ca\\.crt=text',
  );
  expect(objects.find(({ kind }) => kind === 'ConfigMap')).toMatchObject({
    metadata: { name: 'ca-of-konnect-audit-log-operator', labels: { team: 'platform' } },
    data: { 'ca.crt': 'text' },
  });
});

describe('the labels', () => {
  test('of every object and of the Pod include those of the values, and keep those of the chart', async () => {
    const sets = [
      'commonLabels.team=platform',
      'commonLabels.app\\.kubernetes\\.io/name=other',
      'networkPolicy.enabled=true',
      'metrics.serviceMonitor.enabled=true',
      'metrics.prometheusRule.enabled=true',
      'metrics.dashboard.enabled=true',
    ];
    const wanted = { team: 'platform', 'app.kubernetes.io/name': 'konnect-audit-log-operator' };
    const objects = await render(...sets);
    for (const { metadata } of objects) expect(metadata.labels).toMatchObject(wanted);
    expect(objects.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['NetworkPolicy', 'ServiceMonitor', 'PrometheusRule']),
    );
    expect((await renderPod(...sets, 'podLabels.tier=one')).labels).toMatchObject({ ...wanted, tier: 'one' });
  });
});

describe('a value without content', () => {
  const empty = (path: string) => template([`${path}=null`], true);

  test.each(
    chartValues()
      .map(({ path, default: preset }) => ({ path, preset }))
      .filter(({ preset }) => preset === '' || Array.isArray(preset) || typeof preset === 'object'),
  )('$path is treated as empty, or the schema rejects it by name', async ({ path, preset }) => {
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
  )('the schema rejects %s by name', async (path) => {
    const { code, stderr } = await empty(path);
    expect(stderr).toContain(`missing property '${path.split('.').at(-1) ?? ''}'`);
    expect(code).toBe(1);
  });

  test.each(['image', 'metrics', 'metrics.serviceMonitor', 'networkPolicy', 'leaderElection', 'extraCACertificates'])(
    'the schema rejects the section %s by name',
    async (path) => {
      expect(await refusal(`${path}=null`)).toContain(`missing property '${path.split('.').at(-1) ?? ''}'`);
    },
  );
});

describe('NOTES.txt', () => {
  const notes = async (...sets: readonly string[]) => {
    const { stdout } = await helm()([
      'install',
      'konnect-audit-log-operator',
      chartFolder,
      '--dry-run=client',
      '-n=operators',
      ...sets.map((set) => `--set=${set}`),
    ]);
    return stdout.slice(stdout.indexOf('NOTES:'));
  };

  test('lists the next steps and the commands to uninstall, in order', async () => {
    const text = await notes();
    const commands = text.split('\n').filter((line) => /^ {2}(kubectl|helm) /.test(line));
    expect(commands.map((line) => line.trim().split(' ').slice(0, 2).join(' '))).toEqual([
      'kubectl -n',
      'kubectl apply',
      'kubectl get',
      'kubectl delete',
      'helm uninstall',
    ]);
    expect(text).toContain('kubectl delete auditlogforwardings --all --all-namespaces');
    expect(text).toContain('helm uninstall konnect-audit-log-operator --namespace operators --wait');
  });

  test('says that nobody can read the metrics, as long as that is so', async () => {
    expect(await notes()).toContain('metrics.readers');
    const reader = ['metrics.readers[0].namespace=monitoring', 'metrics.readers[0].name=prometheus'];
    expect(await notes(...reader)).not.toContain('metrics.readers');
    const monitor = ['metrics.serviceMonitor.enabled=true'];
    expect(await notes(...monitor)).not.toContain('metrics.readers');
    const ownToken = [...monitor, 'metrics.serviceMonitor.createToken=false'];
    expect(await notes(...ownToken)).toContain('metrics.readers');
    expect(await notes(...ownToken, ...reader)).not.toContain('metrics.readers');
    const authorization = 'metrics.serviceMonitor.authorization.credentials.name=prometheus-token';
    expect(await notes(...ownToken, authorization)).not.toContain('metrics.readers');
  });

  test('deletes only the forwardings in the namespaces of this release', async () => {
    const text = await notes('watchNamespaces={team-a,team-b}');
    expect(text).toContain('kubectl delete auditlogforwardings --all --namespace team-a');
    expect(text).toContain('kubectl delete auditlogforwardings --all --namespace team-b');
    expect(text).not.toContain('--all-namespaces');
  });
});

describe('the schema rejects', () => {
  test.each([
    ['watchNamespace={a}', 'watchNamespace'],
    ['metrics.prot=1', 'prot'],
    ['metrics.secure=yes', 'secure'],
    ['metrics.certificate.secretname=tls', 'secretname'],
    ['image.tags=main', 'tags'],
    ['metrics.serviceMonitor.enable=true', 'enable'],
    ['metrics.readers[0].name=prometheus', 'namespace'],
    ['rbac.aggregate.admin=true', 'admin'],
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
    ['extraObjects[0].kind=ConfigMap', 'extraObjects'],
  ])('%s, with the name of the value', async (set, word) => {
    expect(await refusal(set)).toContain(word);
  });

  test.each([
    [['serviceAccount.create=false'], 'serviceAccount.name'],
    [['metrics.enabled=false', 'metrics.serviceMonitor.enabled=true'], 'metrics.enabled'],
    [['extraCACertificates.configMap.name=a', 'extraCACertificates.secret.name=b'], 'extraCACertificates'],
  ])('%j, which exclude each other', async (sets, word) => {
    expect(await refusal(...sets)).toContain(word);
  });
});

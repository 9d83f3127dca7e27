import { describe, expect, test } from '@jest/globals';
import { parseConfig } from '../../../src/config/config.ts';
import { environmentName, flagTable } from '../../../src/config/flags.ts';

function configOf(argv: string[], env: Record<string, string> = {}) {
  const parsed = parseConfig(argv, env);
  if (parsed.kind !== 'config') throw new Error(JSON.stringify(parsed));
  return parsed.config;
}

function errorOf(argv: string[], env: Record<string, string> = {}): string {
  const parsed = parseConfig(argv, env);
  return parsed.kind === 'error' ? parsed.message : `no error but ${parsed.kind}`;
}

describe('the defaults', () => {
  test('need no flag', () => {
    expect(parseConfig([], {})).toEqual({
      kind: 'config',
      config: {
        konnectURL: 'https://{region}.api.konghq.com',
        sumoLogicURL: 'https://api.{deployment}.sumologic.com',
        verificationDelayMs: 600_000,
        konnectTimeoutMs: 15_000,
        konnectQPS: 10,
        konnectBurst: 100,
        staleListWindowMs: 30_000,
        clusterName: undefined,
        authRefs: false,
        watchNamespaces: [],
        watchLabelSelector: undefined,
        kubeconfig: undefined,
        home: undefined,
        maxConcurrentReconciles: 4,
        gracePeriodMs: 20_000,
        leaderElect: false,
        leaderElectLeaseDurationMs: 15_000,
        leaderElectRenewDeadlineMs: 10_000,
        leaderElectRetryPeriodMs: 2_000,
        leaderElectResourceName: 'konnect-audit-log-operator',
        leaderElectResourceNamespace: undefined,
        metricsBindAddress: { host: undefined, port: 8080 },
        metricsSecure: true,
        metricsCertDir: undefined,
        healthProbeBindAddress: { host: undefined, port: 8081 },
        logLevel: 'info',
        logFormat: 'json',
        proxies: {},
      },
    });
  });
});

describe('proxies', () => {
  test('are read from the environment in lower or upper case, lower case first', () => {
    const env = {
      https_proxy: 'http://proxy:3128',
      HTTPS_PROXY: 'http://other:3128',
      NO_PROXY: '10.0.0.0/8',
      http_proxy: '',
    };
    expect(configOf([], env)).toMatchObject({ proxies: { HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: '10.0.0.0/8' } });
    expect(configOf([], env)).not.toHaveProperty('proxies.HTTP_PROXY');
  });

  test('may lack the scheme and may end with a line break', () => {
    expect(configOf([], { HTTPS_PROXY: 'proxy:3128\n', HTTP_PROXY: '\n' }).proxies).toEqual({
      HTTPS_PROXY: 'http://proxy:3128',
    });
  });

  test.each([
    ['HTTPS_PROXY', 'socks5://me:secret@proxy:1080'],
    ['https_proxy', '"http://me:secret@proxy:3128"'],
    ['HTTP_PROXY', 'http://me:secret%@proxy:3128'],
  ])('that the operator cannot use are an error that names the variable and not the value: %s=%s', (name, value) => {
    const message = errorOf([], { [name]: value });
    expect(message).toMatch(new RegExp(`^${name} must be the URL of an http or https proxy such as `));
    expect(message).not.toMatch(/secret|\n/);
  });
});

describe('values', () => {
  test.each([
    ['--konnect-url=http://127.0.0.1:8080/{region}', { konnectURL: 'http://127.0.0.1:8080/{region}' }],
    ['--sumologic-url=http://127.0.0.1:8080', { sumoLogicURL: 'http://127.0.0.1:8080' }],
    ['--verification-delay=1s', { verificationDelayMs: 1_000 }],
    ['--konnect-timeout=1m30s', { konnectTimeoutMs: 90_000 }],
    ['--konnect-qps=50', { konnectQPS: 50 }],
    ['--konnect-burst=1', { konnectBurst: 1 }],
    ['--stale-list-window=0s', { staleListWindowMs: 0 }],
    ['--cluster-name=prod-eu.1', { clusterName: 'prod-eu.1' }],
    ['--cluster-name=', { clusterName: undefined }],
    ['--watch-namespaces=platform, team-a,,platform', { watchNamespaces: ['platform', 'team-a'] }],
    ['--watch-namespaces=', { watchNamespaces: [] }],
    ['--watch-label-selector=', { watchLabelSelector: undefined }],
    ['--watch-label-selector=shard=a', { watchLabelSelector: 'shard=a' }],
    ['--watch-label-selector=!example.com/shard', { watchLabelSelector: '!example.com/shard' }],
    ['--watch-label-selector=shard in (a, b),team!=x', { watchLabelSelector: 'shard in (a, b),team!=x' }],
    ['--watch-label-selector=shard notin (a,b), tier==', { watchLabelSelector: 'shard notin (a,b), tier==' }],
    ['--kubeconfig=/home/me/.kube/other', { kubeconfig: '/home/me/.kube/other' }],
    ['--max-concurrent-reconciles=32', { maxConcurrentReconciles: 32 }],
    ['--grace-period=500ms', { gracePeriodMs: 500 }],
    ['--metrics-bind-address=0', { metricsBindAddress: undefined }],
    ['--metrics-cert-dir=/etc/tls', { metricsCertDir: '/etc/tls' }],
    ['--metrics-bind-address=127.0.0.1:0', { metricsBindAddress: { host: '127.0.0.1', port: 0 } }],
    ['--health-probe-bind-address=[::1]:9', { healthProbeBindAddress: { host: '::1', port: 9 } }],
    ['--leader-elect-lease-duration=1m', { leaderElectLeaseDurationMs: 60_000 }],
    ['--leader-elect-renew-deadline=12s', { leaderElectRenewDeadlineMs: 12_000 }],
    ['--leader-elect-retry-period=500ms', { leaderElectRetryPeriodMs: 500 }],
    ['--leader-elect-resource-name=operator.example.com', { leaderElectResourceName: 'operator.example.com' }],
    ['--leader-elect-resource-namespace=operators', { leaderElectResourceNamespace: 'operators' }],
    ['--log-level=trace', { logLevel: 'trace' }],
    ['--log-format=text', { logFormat: 'text' }],
  ])('%s', (flag, expected) => {
    expect(configOf([flag])).toMatchObject(expected);
    const [name = '', value = ''] = flag.slice(2).split(/=(.*)/s);
    expect(configOf([`--${name}`, value])).toMatchObject(expected);
    expect(configOf([], { [environmentName({ name })]: value })).toMatchObject(expected);
  });

  test('of --metrics-secure are true and false', () => {
    expect(configOf(['--metrics-secure=false']).metricsSecure).toBe(false);
    expect(configOf(['--metrics-secure=false', '--metrics-secure']).metricsSecure).toBe(true);
    expect(configOf([], { KONNECT_AUDIT_LOG_METRICS_SECURE: 'false' }).metricsSecure).toBe(false);
  });

  test('of --leader-elect are true and false, and it means true without a value', () => {
    expect(configOf(['--leader-elect']).leaderElect).toBe(true);
    expect(configOf(['--leader-elect', '--log-level=warn'])).toMatchObject({ leaderElect: true, logLevel: 'warn' });
    expect(configOf(['--leader-elect=true']).leaderElect).toBe(true);
    expect(configOf(['--leader-elect', '--leader-elect=false']).leaderElect).toBe(false);
    expect(configOf([], { KONNECT_AUDIT_LOG_LEADER_ELECT: 'true' }).leaderElect).toBe(true);
    expect(errorOf(['--leader-elect=yes'])).toBe('--leader-elect must be true or false, not "yes"');
    expect(errorOf(['--leader-elect', 'false'])).toBe('argument 2 is not a flag: see --help');
  });

  test.each([
    [['--leader-elect-lease-duration=10s'], '"10s"'],
    [['--leader-elect-renew-deadline=15s'], '"15s"'],
    [['--leader-elect-retry-period=8400ms'], '"10s"'],
    [['--leader-elect-renew-deadline=2400ms'], '"2400ms"'],
  ])('of a lease that conflict are refused: %j', (argv, shown) => {
    const words =
      'a duration such as 30s or 1m30s, from 100ms to 1h, less than the lease duration and more than 1.2 retry periods';
    expect(errorOf(argv)).toBe(`--leader-elect-renew-deadline must be ${words}, not ${shown}`);
  });

  test('of a flag take precedence over the environment, and the last one over the first', () => {
    const env = { KONNECT_AUDIT_LOG_LOG_LEVEL: 'error' };
    expect(configOf(['--log-level=debug'], env).logLevel).toBe('debug');
    expect(configOf(['--log-level=debug', '--log-level', 'warn'], env).logLevel).toBe('warn');
    expect(configOf([], env).logLevel).toBe('error');
    expect(configOf([], { KONNECT_AUDIT_LOG_LOG_LEVEL: '' }).logLevel).toBe('info');
  });

  test('of unknown variables are not an error: Kubernetes adds some for Services', () => {
    expect(configOf([], { KONNECT_AUDIT_LOG_OPERATOR_PORT: 'tcp://10.0.0.1:8080' })).toEqual(configOf([]));
  });

  test('for kubectl are used if the flag is not set', () => {
    expect(configOf([], { KUBECONFIG: '/a:/b', HOME: '/home/me' })).toMatchObject({
      kubeconfig: '/a:/b',
      home: '/home/me',
    });
    expect(configOf(['--kubeconfig=/c'], { KUBECONFIG: '/a' }).kubeconfig).toBe('/c');
  });
});

describe('an invalid value is an error of one line', () => {
  test.each([
    [['--konnect-timeout=15'], '--konnect-timeout must be a duration such as 30s or 1m30s, from 1s to 2m, not "15"'],
    [['--konnect-timeout=3m'], '--konnect-timeout must be a duration such as 30s or 1m30s, from 1s to 2m, not "3m"'],
    [['--grace-period=-1s'], '--grace-period must be a duration such as 30s or 1m30s, from 0s to 10m, not "-1s"'],
    [['--max-concurrent-reconciles=0'], '--max-concurrent-reconciles must be a whole number from 1 to 256, not "0"'],
    [
      ['--max-concurrent-reconciles=1e2'],
      '--max-concurrent-reconciles must be a whole number from 1 to 256, not "1e2"',
    ],
    [['--log-level=verbose'], '--log-level must be one of trace, debug, info, warn, error, fatal, not "verbose"'],
    [['--log-format='], '--log-format must be one of json, text, not ""'],
    [
      ['--watch-namespaces=Platform'],
      '--watch-namespaces must be names of namespaces, separated by commas, not "Platform"',
    ],
    [['--metrics-secure=no'], '--metrics-secure must be true or false, not "no"'],
    [
      ['--metrics-bind-address=8080'],
      '--metrics-bind-address must be an address such as :8080 or 127.0.0.1:8080, or 0 for off, not "8080"',
    ],
    [['--metric-bind-address=:1'], 'unknown flag "--metric-bind-address": see --help'],
    [['-x'], 'unknown flag "-x": see --help'],
    [['--no-log-level'], 'unknown flag "--no-log-level": see --help'],
    [['serve'], 'argument 1 is not a flag: see --help'],
    [['--', '--log-level=info'], 'argument 2 is not a flag: see --help'],
    [['--log-level'], '--log-level needs a value: --log-level=…'],
    [['--log-level', '--log-format=text'], '--log-level needs a value: --log-level=…'],
  ])('%j', (argv, message) => {
    expect(errorOf(argv)).toBe(message);
  });

  test.each(['shard in a', 'shard=a,', 'shard=a=b', '-shard=a', 'shard in ()x', 'Example.com/shard=a'])(
    '--watch-label-selector=%s',
    (selector) => {
      const words = 'a label selector of Kubernetes, such as shard=a or "shard notin (a, b)"';
      expect(errorOf([`--watch-label-selector=${selector}`])).toBe(
        `--watch-label-selector must be ${words}, not ${JSON.stringify(selector)}`,
      );
    },
  );

  test('that names the variable if that is invalid', () => {
    expect(errorOf([], { KONNECT_AUDIT_LOG_LOG_FORMAT: 'xml' })).toBe(
      'KONNECT_AUDIT_LOG_LOG_FORMAT must be one of json, text, not "xml"',
    );
  });

  test('that stays short for every value', () => {
    const message = errorOf([`--cluster-name=two\nlines ${'x'.repeat(10_000)}`]);
    expect(message.split('\n')).toHaveLength(1);
    expect(message.length).toBeLessThan(300);
  });

  test.each(['http://us.api.konghq.com', 'https://me:secret@{region}.example.com', 'https://{region}'])(
    'that does not repeat a URL: %s',
    (url) => {
      const message = errorOf([`--konnect-url=${url}`]);
      expect(message).toMatch(/^--konnect-url must be an https URL/);
      expect(message).not.toContain(url);
      expect(message).not.toContain('secret');
    },
  );
});

test.each([
  ['--watch-namespaces=http://me:secret@proxy:3128'],
  ['--log-level=kpat_0123456789'],
  ['--kpat_0123456789'],
  ['-kpat_0123456789=x'],
])('a credential in the wrong flag is not repeated: %s', (argument) => {
  expect(errorOf([argument])).not.toMatch(/secret|kpat_/);
});

describe('help and version', () => {
  test('--help lists every flag with its default, its variable and its meaning', () => {
    const parsed = parseConfig(['--help'], {});
    expect(parsed.kind).toBe('help');
    for (const flag of flagTable) {
      expect(parsed).toHaveProperty('text', expect.stringContaining(`--${flag.name}=<${flag.value}>`));
      expect(parsed).toHaveProperty('text', expect.stringContaining(flag.help));
      expect(parsed).toHaveProperty('text', expect.stringContaining(`$${environmentName(flag)}`));
    }
    expect(parseConfig(['-h'], {})).toEqual(parsed);
  });

  test('--version prints the version', () => {
    expect(parseConfig(['--version'], {})).toEqual({ kind: 'version', text: 'dev' });
  });
});

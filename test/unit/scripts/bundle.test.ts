import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import * as z from 'zod';
import { ensureHelm } from '../../../sandbox/control-plane/helm.ts';
import { bundleLabels, renderBundle } from '../../../scripts/bundle/bundle.ts';
import { Spec } from '../../../src/api/v1alpha1.ts';
import { parseConfig } from '../../../src/config/config.ts';
import { document } from '../../docs/documents.ts';

const folder = join(import.meta.dirname, '../../../bundle');
const read = (path: string) => readFileSync(join(folder, path), 'utf8');

const Rules = z.array(z.object({ rules: z.array(z.object({ resources: z.array(z.string()) })) }));
const Version = z.object({
  metadata: z.object({ annotations: z.record(z.string(), z.string()) }),
  spec: z.object({
    relatedImages: z.array(z.object({ image: z.string() })),
    install: z.object({
      spec: z.object({
        permissions: Rules,
        clusterPermissions: Rules,
        deployments: z.tuple([
          z.object({
            spec: z.object({
              template: z.object({
                spec: z.object({
                  securityContext: z.record(z.string(), z.unknown()),
                  containers: z.tuple([
                    z.object({
                      image: z.string(),
                      args: z.array(z.string()),
                      env: z.array(
                        z.object({
                          name: z.string(),
                          valueFrom: z.object({ fieldRef: z.object({ fieldPath: z.string() }) }).optional(),
                        }),
                      ),
                    }),
                  ]),
                }),
              }),
            }),
          }),
        ]),
      }),
    }),
  }),
});
const versionFile = 'manifests/konnect-audit-log-operator.clusterserviceversion.yaml';
const { metadata, spec } = Version.parse(parse(read(versionFile)));
const pod = spec.install.spec.deployments[0].spec.template.spec;
const [container] = pod.containers;

test('bundle/ equals what the chart, the CRD and the examples make (else: npm run generate)', async () => {
  const made = await renderBundle(await ensureHelm({ progress: () => undefined }));
  const files = globSync('**/*', { cwd: folder, withFileTypes: true }).filter((one) => one.isFile());
  expect(files.map((file) => join(file.parentPath, file.name)).toSorted()).toEqual(
    [...made.keys()].map((path) => join(folder, path)).toSorted(),
  );
  expect([...made].filter(([path, text]) => read(path) !== text).map(([path]) => path)).toEqual([]);
});

describe('the Deployment', () => {
  test.each([
    ['of all namespaces', '', []],
    ['of one namespace', 'platform', ['platform']],
    ['of several namespaces', 'team-a,team-b', ['team-a', 'team-b']],
  ])('watches the namespaces of an OperatorGroup %s', (_what, annotation, watchNamespaces) => {
    const variables = container.env.flatMap(({ name, valueFrom }) =>
      valueFrom?.fieldRef.fieldPath === "metadata.annotations['olm.targetNamespaces']" ? [[name, annotation]] : [],
    );
    expect(variables).toHaveLength(1);
    expect(parseConfig(container.args, Object.fromEntries(variables))).toMatchObject({
      kind: 'config',
      config: { watchNamespaces, leaderElect: true },
    });
  });

  test('leaves every flag but leader election to the environment of a Subscription', () => {
    expect(container.args).toEqual(['--leader-elect=true']);
  });

  test('leaves the user ID to OpenShift', () => {
    expect(pod.securityContext).toEqual({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
  });

  test('has the image that a catalog has to mirror', () => {
    expect(spec.relatedImages).toEqual([expect.objectContaining({ image: container.image })]);
    expect(metadata.annotations['containerImage']).toBe(container.image);
  });
});

test('what the operator needs in watched namespaces is not granted in the whole cluster', () => {
  const resources = (part: z.infer<typeof Rules>) =>
    part.flatMap(({ rules }) => rules.flatMap((rule) => rule.resources));
  const { permissions, clusterPermissions } = spec.install.spec;
  expect(resources(permissions)).toEqual(
    expect.arrayContaining(['auditlogforwardings', 'secrets', 'events', 'leases']),
  );
  expect(resources(clusterPermissions)).toEqual(['tokenreviews', 'subjectaccessreviews']);
});

test('every example is a valid forwarding without a namespace', () => {
  const examples = z
    .array(z.object({ metadata: z.strictObject({ name: z.string() }), spec: z.unknown() }))
    .parse(JSON.parse(metadata.annotations['alm-examples'] ?? ''));
  expect(examples.length).toBeGreaterThan(5);
  for (const one of examples) expect(Spec.parse(one.spec)).toMatchObject(z.looseObject({}).parse(one.spec));
});

test('the image has the labels of metadata/annotations.yaml', () => {
  const labels = [...read('Dockerfile').matchAll(/^LABEL (\S+)=(\S+)$/gm)].map(([, name, value]) => [name, value]);
  expect(Object.fromEntries(labels)).toEqual(bundleLabels);
  expect(parse(read('metadata/annotations.yaml'))).toEqual({ annotations: bundleLabels });
});

describe('docs/install/olm.md', () => {
  const block = (language: string) =>
    new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'ms').exec(document('docs/install/olm.md'))?.[1] ?? '';

  test('names another image in the bundle, in every place', () => {
    const [, script = ''] = /^(sed .*?)^docker/ms.exec(block('sh')) ?? [];
    const copy = mkdtempSync(join(tmpdir(), 'bundle-'));
    cpSync(folder, join(copy, 'bundle'), { recursive: true });
    execFileSync('sh', ['-c', script], { cwd: copy });
    const images = readFileSync(join(copy, 'bundle', versionFile), 'utf8').match(/\S*konnect-audit-log-operator:\S+/g);
    rmSync(copy, { recursive: true });
    const wanted = 'registry.example.com/konnect-audit-log-operator:0.1.0';
    expect(images).toEqual([wanted, wanted, wanted]);
  });

  test('subscribes to the package and the channel of the bundle, with a flag of the operator', () => {
    const [, subscription] = parseAllDocuments(block('yml')).map((one) => one.toJS());
    const { name, channel, config } = subscription.spec;
    expect(name).toBe(bundleLabels['operators.operatorframework.io.bundle.package.v1']);
    expect(channel).toBe(bundleLabels['operators.operatorframework.io.bundle.channel.default.v1']);
    const env = config.env.map((one: { name: string; value: string }) => [one.name, one.value]);
    expect(parseConfig(container.args, Object.fromEntries(env))).toMatchObject({ config: { clusterName: 'blue' } });
  });
});

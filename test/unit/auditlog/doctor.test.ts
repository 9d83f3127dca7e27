import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { type KonnectServer, startKonnect } from '../../../sandbox/konnect/server.ts';
import { type SpecChoice, specOf } from '../../support/forwarding-spec.ts';
import { blue, konnectSeed, laden, shop, siem, tokens } from '../../support/konnect-fixtures.ts';
import { type ClusterServer, startClusterServer } from './cluster-server.ts';
import { runAuditlog } from './run-auditlog.ts';

const crd = parse(readFileSync('crds/konnect-audit-log.io_auditlogforwardings.yaml', 'utf8'));
const crdPath = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata.name}`;
const deploymentPath = '/apis/apps/v1/namespaces/operators/deployments/operator';
const reviews = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
const kongOperatorPath = '/apis/konnect.konghq.com/v1alpha1/namespaces/platform';
const allowAll = () => ({ status: { allowed: true } });

let cluster: ClusterServer;
let konnect: KonnectServer;
beforeEach(async () => {
  [cluster, konnect] = await Promise.all([startClusterServer(), startKonnect({ seed: konnectSeed })]);
  cluster.put(crdPath, crd);
  putDeployment(1);
  cluster.posts.set(reviews, allowAll);
  cluster.putSecret('konnect', { token: tokens.blue });
  cluster.putSecret('siem', siem);
  putForwarding({ portals: [{ id: shop, enabled: true }] });
});
afterEach(async () => {
  cluster.stop();
  await konnect.stop();
});

function putDeployment(availableReplicas: number, args: readonly string[] = []): void {
  cluster.put(deploymentPath, {
    metadata: { name: 'operator', namespace: 'operators' },
    spec: { template: { spec: { serviceAccountName: 'robot', containers: [{ image: 'operator:1', args }] } } },
    status: { availableReplicas },
  });
}

function putForwarding(choice: SpecChoice): void {
  cluster.putForwarding('platform/sumologic', { spec: specOf(choice) });
}

async function doctor(...args: readonly string[]) {
  const result = await runAuditlog(['doctor', '--konnect-url', konnect.urlTemplate, ...args], { env: cluster.env });
  expect(JSON.stringify(result)).not.toContain('CANARY');
  return result;
}

/** The checks that did not end well, as `check: detail`. */
async function problems(): Promise<{ code: number; found: readonly string[] }> {
  const { code, output } = await doctor('-o', 'json');
  const checks: { check: string; result: string; detail: string }[] = JSON.parse(output).checks;
  const found = checks.filter(({ result }) => result !== 'ok').map(({ check, detail }) => `${check}: ${detail}`);
  return { code, found };
}

/** The API server allows what no review whose text contains `part` is about. */
function refuse(part: string): void {
  cluster.posts.set(reviews, (body) => ({ status: { allowed: !JSON.stringify(body).includes(part) } }));
}

function putPortal(name: string, id: string): void {
  cluster.put(`${kongOperatorPath}/portals/${name}`, { metadata: { name, namespace: 'platform' }, status: { id } });
}

function putAuthConfiguration(): void {
  const metadata = { name: 'konnect', namespace: 'platform' };
  const spec = { type: 'token', token: tokens.blue, serverURL: 'us.api.konghq.com' };
  cluster.put(`${kongOperatorPath}/konnectapiauthconfigurations/konnect`, { metadata, spec });
}

describe('auditlog doctor', () => {
  test('checks everything that the operator needs', async () => {
    const { code, output } = await doctor();
    expect(code).toBe(0);
    expect(
      output
        .split('\n')
        .map((line) => line.replaceAll(/ {3,}/g, ' | '))
        .slice(0, -1),
    ).toEqual([
      'CHECK | OBJECT | RESULT | DETAIL',
      `CRD | ${crd.metadata.name} | ok | serves v1alpha1 with every field`,
      'operator | operators/operator | ok | 1 available',
      'RBAC | operators/operator | ok | system:serviceaccount:operators:robot has every right',
      'RBAC | namespace platform | ok | system:serviceaccount:operators:robot has every right',
      `Konnect | ${new URL(konnect.url).host} | ok | answers (HTTP 401)`,
      'clock | this machine | ok | agrees with Konnect to the minute',
      'Secrets | platform/sumologic | ok | every value has the right form',
      `token | platform/sumologic | ok | belongs to organization ${blue}`,
      'destinations | platform/sumologic | ok | the token sees 0; no request says whether it may write',
      'region | platform/sumologic | ok | us answers',
      expect.stringMatching(/^portals \| platform\/sumologic \| ok \| the token sees \d+ in region us$/),
    ]);
  });

  test.each<[string, () => void, string]>([
    [
      'a CRD that is not installed',
      () => cluster.objects.delete(crdPath),
      'CRD: it is not installed: apply crds/ of the version of the operator',
    ],
    [
      'a CRD that is older',
      () => {
        const older = structuredClone(crd);
        delete older.spec.versions[0].schema.openAPIV3Schema.properties.status.properties.delivery;
        cluster.put(crdPath, older);
      },
      'CRD: it is older than this command and lacks status.delivery: apply crds/ of the version of the operator',
    ],
    [
      'an operator that does not run',
      () => putDeployment(0),
      'operator: no replica is available: see kubectl describe deployment operator -n operators',
    ],
    [
      'a right that the operator lacks',
      () => cluster.posts.set(reviews, (body) => ({ status: { allowed: !JSON.stringify(body).includes('"watch"') } })),
      'RBAC: system:serviceaccount:operators:robot may not watch auditlogforwardings, watch secrets: bind the roles of the chart or of deploy/ there',
    ],
    [
      'a Secret that does not exist',
      () => cluster.objects.delete('/api/v1/namespaces/platform/secrets/siem'),
      'Secrets: Secret siem, named by spec.destination.secretRef, does not exist in this namespace: create it, or correct the name',
    ],
    [
      'an endpoint that Konnect cannot use',
      () => cluster.putSecret('siem', { ...siem, endpoint: 'https://collectors.sumologic.com/receiver/v1/http' }),
      'Secrets: the endpoint is that of a SumoLogic source of the kind Auth Header, which Konnect cannot use: choose Presigned URL there',
    ],
    [
      'a portal in another region',
      () => putForwarding({ portals: [{ id: laden, enabled: true }] }),
      `portals: the token sees 4 in region us, but not ${laden}: check spec.portals, spec.portalRefs, spec.konnect.region and the roles of the token`,
    ],
    [
      'a right to read metrics that the operator lacks',
      () => refuse('"tokenreviews"'),
      'RBAC: system:serviceaccount:operators:robot may not create tokenreviews: bind the roles of the chart or of deploy/ there',
    ],
    [
      'a right on the Lease that the operator lacks',
      () => {
        putDeployment(1, ['--leader-elect=true', '--leader-elect-resource-name=east', '--metrics-secure=false']);
        refuse('"name":"east","verb":"patch"');
      },
      'RBAC: system:serviceaccount:operators:robot may not patch leases: bind the roles of the chart or of deploy/ there',
    ],
    [
      'a right on namespaces that the operator lacks',
      () => {
        putDeployment(1, ['--watch-namespaces=platform']);
        refuse('"namespaces"');
      },
      'RBAC: system:serviceaccount:operators:robot may not get namespaces: bind the roles of the chart or of deploy/ there',
    ],
    [
      'a right on Portals that the operator lacks',
      () => {
        putPortal('shop', shop);
        putForwarding({ portalRefs: [{ name: 'shop', enabled: true }] });
        refuse('"portals"');
      },
      'RBAC: system:serviceaccount:operators:robot may not get portals: bind the roles of the chart or of deploy/ there',
    ],
    [
      'a right on KonnectAPIAuthConfigurations that the operator lacks',
      () => {
        putAuthConfiguration();
        const { konnect: place, ...spec } = specOf({ portals: [{ id: shop, enabled: true }] });
        const { tokenSecretRef: _, ...rest } = place;
        cluster.putForwarding('platform/sumologic', {
          spec: { ...spec, konnect: { ...rest, authRef: { name: 'konnect' } } },
        });
        refuse('"konnectapiauthconfigurations","verb":"watch"');
      },
      'RBAC: system:serviceaccount:operators:robot may not watch konnectapiauthconfigurations: bind the roles of the chart or of deploy/ there',
    ],
    [
      'a referenced portal in another region',
      () => {
        putPortal('laden', laden);
        putForwarding({ portalRefs: [{ name: 'laden', enabled: true }] });
      },
      `portals: the token sees 4 in region us, but not ${laden}: check spec.portals, spec.portalRefs, spec.konnect.region and the roles of the token`,
    ],
    [
      'a Portal object that does not exist',
      () => putForwarding({ portalRefs: [{ name: 'shop', enabled: true }] }),
      'portals: Portal shop, named by spec.portalRefs[shop], does not exist in this namespace: create it, or correct the name; the operator detaches the webhook of its portal',
    ],
    [
      'a portal whose webhook the token may not read',
      () => konnect.control.fail({ kind: 'status', status: 403, match: { path: '*/portals/*/status' } }),
      `portals: portal ${shop} (get portal webhook status): Konnect refused (HTTP 403)`,
    ],
    [
      "an organization's webhook whose status the token may not read",
      () => {
        putForwarding({ organization: { enabled: true } });
        konnect.control.fail({ kind: 'status', status: 403, match: { path: '/v3/audit-log-webhook/status' } });
      },
      "region: the organization's webhook (get organization webhook status): Konnect refused (HTTP 403)",
    ],
  ])('names %s, with the way out', async (_name, act, expected) => {
    act();
    await expect(problems()).resolves.toEqual({ code: 3, found: [expect.stringContaining(expected)] });
  });

  test('requests the organization and the destinations once for all forwardings with the same token', async () => {
    cluster.putForwarding('platform/second', { spec: specOf({ portals: [{ id: shop, enabled: true }] }) });
    konnect.control.clearCalls();
    expect((await doctor()).code).toBe(0);
    const paths = konnect.control.calls().map(({ path }) => path.replace(/^.*\//, ''));
    expect(paths.filter((path) => path === 'me')).toHaveLength(2);
    expect(paths.filter((path) => path.startsWith('audit-log-destinations'))).toHaveLength(1);
  });

  test('names a token that Konnect rejects, for each call', async () => {
    cluster.putSecret('konnect', { token: 'kpat_unknown' });
    const { code, found } = await problems();
    expect(code).toBe(3);
    expect(found).toHaveLength(4);
    for (const one of found)
      expect(one).toContain(
        'Konnect rejects the token (HTTP 401) because it is wrong, expired or revoked: put a valid token into Secret konnect, key token',
      );
  });

  test('names a Konnect that does not answer', async () => {
    const { output, code } = await runAuditlog(
      ['doctor', '--konnect-url', 'http://127.0.0.1:9/{region}', '-n', 'nowhere'],
      { env: cluster.env },
    );
    expect(code).toBe(3);
    expect(output).toContain(
      'it does not answer (ECONNREFUSED): check DNS, the firewall, HTTPS_PROXY and --konnect-url',
    );
  });

  test.each([
    ['customresourcedefinitions', 'CRD: you may not read it'],
    ['deployments', 'operator: you may not list Deployments'],
    ['subjectaccessreviews', 'RBAC: you may not review the rights of others'],
    ['secrets', 'forwarding: you may not read Secret platform/'],
    ['platform/portals', 'forwarding: you may not read Portal platform/shop'],
  ])('goes on without the right to read %s', async (part, expected) => {
    putPortal('shop', shop);
    putForwarding({ portalRefs: [{ name: 'shop', enabled: true }] });
    cluster.forbid(new RegExp(part));
    const { code, found } = await problems();
    expect({ code, found: [...new Set(found)] }).toEqual({ code: 4, found: [expect.stringContaining(expected)] });
  });

  test('says that no operator of the chart is there', async () => {
    cluster.objects.delete(deploymentPath);
    await expect(problems()).resolves.toMatchObject({
      code: 4,
      found: [expect.stringContaining('no Deployment of the chart is in the cluster')],
    });
  });
});

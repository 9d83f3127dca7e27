/** The checks of `auditlog doctor` in the cluster: the CRD, the operator, and its rights. */
import * as z from 'zod';
import { group, plural, Spec, Status, version } from '../api/v1alpha1.ts';
import { isAllowed, type ResourceAccess } from '../kube/access-review.ts';
import { isKubeError } from '../kube/errors.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { type CheckResult, resultsFor } from './check-result.ts';
import { listOperators, type OperatorDeployment } from './cluster-connection.ts';

type Client = Pick<KubeClient, 'get' | 'list' | 'create'>;

const Fields = z.object({ properties: z.record(z.string(), z.unknown()) });
const Definition = z.object({
  spec: z.object({
    versions: z.array(
      z.object({
        name: z.string(),
        served: z.boolean(),
        schema: z.object({
          openAPIV3Schema: z.object({ properties: z.object({ spec: Fields, status: Fields }) }),
        }),
      }),
    ),
  }),
});

/** Checks that the CRD serves the version and the fields that this version of the command knows. */
export async function checkDefinition(client: Client): Promise<CheckResult> {
  const name = `${plural}.${group}`;
  const { ok, failed, unknown } = resultsFor('CRD', name);
  const apply = 'apply crds/ of the version of the operator';
  try {
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`;
    const parsed = Definition.safeParse(await client.get<unknown>(path));
    const served = parsed.data?.spec.versions.find((one) => one.name === version && one.served);
    if (served === undefined) return failed(`it does not serve ${version}: ${apply}`);
    const { spec, status } = served.schema.openAPIV3Schema.properties;
    const missing = [...lacking(spec, Spec.shape, 'spec'), ...lacking(status, Status.shape, 'status')];
    if (missing.length > 0) return failed(`it is older than this command and lacks ${missing.join(', ')}: ${apply}`);
    return ok(`serves ${version} with every field`);
  } catch (error) {
    if (isKubeError(error, 'NotFound')) return failed(`it is not installed: ${apply}`);
    if (isKubeError(error, 'Forbidden')) return unknown('you may not read it: ask a cluster administrator to run this');
    throw error;
  }
}

function lacking({ properties }: z.infer<typeof Fields>, shape: object, path: string): string[] {
  return Object.keys(shape).flatMap((field) => (Object.hasOwn(properties, field) ? [] : [`${path}.${field}`]));
}

/** A namespace with a forwarding, and which objects of kong-operator the forwardings there name. */
export interface UsedNamespace {
  readonly namespace: string;
  readonly hasPortalRefs: boolean;
  readonly hasAuthRefs: boolean;
}

/** Checks that the operator runs as a Deployment, and what its ServiceAccount may do for itself and in `namespaces`. */
export async function checkOperator(client: Client, namespaces: readonly UsedNamespace[]): Promise<CheckResult[]> {
  const { unknown } = resultsFor('operator', '');
  try {
    const operators = await listOperators(client);
    if (operators.length === 0)
      return [
        unknown('no Deployment of the chart is in the cluster: install it, or check the process that runs elsewhere'),
      ];
    return (await Promise.all(operators.map((one) => checkDeployment(client, one, namespaces)))).flat();
  } catch (error) {
    if (!isKubeError(error, 'Forbidden')) throw error;
    return [unknown('you may not list Deployments: ask a cluster administrator to run this')];
  }
}

async function checkDeployment(
  client: Client,
  { metadata, spec, status }: OperatorDeployment,
  namespaces: readonly UsedNamespace[],
): Promise<CheckResult[]> {
  const key = `${metadata.namespace}/${metadata.name}`;
  const { ok, failed } = resultsFor('operator', key);
  const available = status?.availableReplicas ?? 0;
  const running =
    available > 0
      ? ok(`${String(available)} available`)
      : failed(`no replica is available: see kubectl describe deployment ${metadata.name} -n ${metadata.namespace}`);
  const { serviceAccountName: account = 'default', containers } = spec.template.spec;
  const user = `system:serviceaccount:${metadata.namespace}:${account}`;
  const flags = flagsOf(containers.flatMap(({ args }) => args ?? []));
  const rights = await Promise.all([
    checkRights(client, user, key, ownRights(flags, metadata.namespace)),
    ...namespaces.map((one) => checkRights(client, user, `namespace ${one.namespace}`, rightsIn(one, flags))),
  ]);
  return [running, ...rights];
}

/** Returns the flags in the arguments of a container. The environment can set flags, too, but the chart does not use it. */
function flagsOf(args: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    args.flatMap((arg) => {
      const [, name, value] = /^--([\w-]+)(?:=(.*))?$/.exec(arg) ?? [];
      return name === undefined ? [] : [[name, value ?? 'true'] as const];
    }),
  );
}

/** Returns what the operator has to do besides its work for forwardings: leader election, and access to metrics. */
function ownRights(flags: ReadonlyMap<string, string>, namespace: string): ResourceAccess[] {
  const lease = { group: 'coordination.k8s.io', resource: 'leases', namespace };
  const name = flags.get('leader-elect-resource-name') ?? 'konnect-audit-log-operator';
  const isGuarded = flags.get('metrics-secure') !== 'false' && flags.get('metrics-bind-address') !== '0';
  return [
    ...(flags.get('leader-elect') === 'true'
      ? [{ ...lease, verb: 'create' }, ...['get', 'patch'].map((verb) => ({ ...lease, name, verb }))]
      : []),
    ...(isGuarded
      ? [
          { group: 'authentication.k8s.io', resource: 'tokenreviews', verb: 'create' },
          { group: 'authorization.k8s.io', resource: 'subjectaccessreviews', verb: 'create' },
        ]
      : []),
  ];
}

/** Returns what the operator has to do in a namespace with a forwarding. */
function rightsIn(
  { namespace, hasPortalRefs, hasAuthRefs }: UsedNamespace,
  flags: ReadonlyMap<string, string>,
): ResourceAccess[] {
  const kongOperator = 'konnect.konghq.com';
  const wanted = [
    { group, resource: plural, verbs: ['list', 'watch', 'patch'] },
    { group, resource: plural, subresource: 'status', verbs: ['patch'] },
    { group: '', resource: 'secrets', verbs: ['get', 'list', 'watch'] },
    { group: 'events.k8s.io', resource: 'events', verbs: ['create', 'patch'] },
    ...(flags.has('watch-namespaces') ? [{ group: '', resource: 'namespaces', name: namespace, verbs: ['get'] }] : []),
    ...(hasPortalRefs ? [{ group: kongOperator, resource: 'portals', verbs: ['get'] }] : []),
    ...(hasAuthRefs
      ? [{ group: kongOperator, resource: 'konnectapiauthconfigurations', verbs: ['get', 'list', 'watch'] }]
      : []),
  ];
  return wanted.flatMap(({ verbs, ...one }) => verbs.map((verb) => ({ ...one, verb, namespace })));
}

async function checkRights(
  client: Client,
  user: string,
  where: string,
  wanted: readonly ResourceAccess[],
): Promise<CheckResult> {
  const { ok, failed, unknown } = resultsFor('RBAC', where);
  const groups = ['system:serviceaccounts', 'system:authenticated'];
  try {
    const missing = await Promise.all(
      wanted.map(async (resourceAttributes) => {
        if (await isAllowed(client, { user, groups, resourceAttributes })) return [];
        const { verb, resource, subresource } = resourceAttributes;
        return [`${verb} ${subresource === undefined ? resource : `${resource}/${subresource}`}`];
      }),
    );
    const lacks = missing.flat();
    if (lacks.length === 0) return ok(`${user} has every right`);
    return failed(`${user} may not ${lacks.join(', ')}: bind the roles of the chart or of deploy/ there`);
  } catch (error) {
    if (!isKubeError(error, 'Forbidden')) throw error;
    return unknown('you may not review the rights of others: ask a cluster administrator to run this');
  }
}

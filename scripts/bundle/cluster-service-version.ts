/** The ClusterServiceVersion, from which the Operator Lifecycle Manager (OLM) installs the operator. */
import { globSync, readFileSync } from 'node:fs';
import { parse, parseAllDocuments } from 'yaml';
import * as z from 'zod';
import { apiVersion, kind, version as servedVersion } from '../../src/api/v1alpha1.ts';
import { environmentName, flagTable } from '../../src/config/flags.ts';
import { renderCRD } from '../crd.ts';
import { chartFolder, type RenderedObject } from '../render.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');

/** OLM writes the namespaces of the OperatorGroup, separated by commas, into this annotation of the Pod. It is empty for all namespaces. */
const targetNamespaces = "metadata.annotations['olm.targetNamespaces']";
const namespacesVariable = environmentName({ name: 'watch-namespaces' });

/** The values with which the chart renders the Deployment for OLM. OpenShift assigns user IDs itself; elsewhere the image's own is used. */
export const deploymentValues = [
  'podSecurityContext.runAsUser=null',
  'podSecurityContext.runAsGroup=null',
  `extraEnv[0].name=${namespacesVariable}`,
  `extraEnv[0].valueFrom.fieldRef.fieldPath=${targetNamespaces}`,
];

/** With a namespace, the chart renders a Role for what the operator needs in the namespaces that it watches, and ClusterRoles for the rest. */
export const rightsValues = ['watchNamespaces={watched}'];

const Chart = z.object({
  name: z.string(),
  version: z.string(),
  description: z.string(),
  kubeVersion: z.string(),
  keywords: z.array(z.string()),
  annotations: z.object({ 'artifacthub.io/operatorCapabilities': z.string() }),
});

const Deployment = z.object({
  metadata: z.object({ name: z.string(), labels: z.record(z.string(), z.string()) }),
  spec: z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({
        serviceAccountName: z.string(),
        containers: z.tuple([z.looseObject({ image: z.string(), args: z.array(z.string()) })]),
      }),
    }),
  }),
});

export interface Rendered {
  /** The objects of the chart, with {@link deploymentValues} and with {@link rightsValues}. */
  readonly objects: readonly RenderedObject[];
  readonly rights: readonly RenderedObject[];
}

export function clusterServiceVersion({ objects, rights }: Rendered): object {
  const chart = Chart.parse(parse(readFileSync(`${chartFolder}/Chart.yaml`, 'utf8')));
  const { metadata, spec } = Deployment.parse(objects.find((one) => one.kind === 'Deployment'));
  const { serviceAccountName, containers } = spec.template.spec;
  const [container] = containers;
  return {
    apiVersion: 'operators.coreos.com/v1alpha1',
    kind: 'ClusterServiceVersion',
    metadata: {
      name: `${chart.name}.v${chart.version}`,
      annotations: {
        'alm-examples': JSON.stringify(examples(), null, 2),
        capabilities: chart.annotations['artifacthub.io/operatorCapabilities'],
        categories: 'Logging & Tracing, Security',
        containerImage: container.image,
        description: chart.description,
        'features.operators.openshift.io/proxy-aware': 'true',
        // A version follows every older one, so that no version has to name its predecessor.
        'olm.skipRange': `<${chart.version}`,
        'operatorframework.io/suggested-namespace': 'konnect-audit-log',
      },
    },
    spec: {
      displayName: 'Konnect Audit Log Operator',
      description,
      icon: [
        { base64data: Buffer.from(read('scripts/bundle/icon.svg')).toString('base64'), mediatype: 'image/svg+xml' },
      ],
      version: chart.version,
      maturity: 'alpha',
      minKubeVersion: chart.kubeVersion.replace(/^>=|-0$/g, ''),
      keywords: chart.keywords,
      provider: { name: 'The maintainers of konnect-audit-log-operator' },
      installModes: ['OwnNamespace', 'SingleNamespace', 'MultiNamespace', 'AllNamespaces'].map((type) => ({
        type,
        supported: true,
      })),
      customresourcedefinitions: { owned: [ownedDefinition()] },
      install: {
        strategy: 'deployment',
        spec: {
          permissions: [{ serviceAccountName, rules: rulesOf(rights, 'Role') }],
          clusterPermissions: [{ serviceAccountName, rules: rulesOf(rights, 'ClusterRole') }],
          deployments: [
            {
              name: metadata.name,
              label: metadata.labels,
              spec: withArguments(
                spec,
                container.args.filter((argument) => !isDefault(argument)),
              ),
            },
          ],
        },
      },
      relatedImages: [{ name: 'operator', image: container.image }],
    },
  };
}

/** Returns whether an argument has the default of its flag. Without these arguments, a Subscription can set every flag by its environment variable. */
function isDefault(argument: string): boolean {
  return flagTable.some((flag) => argument === `--${flag.name}=${flag.default}`);
}

function withArguments({ template, ...spec }: z.infer<typeof Deployment>['spec'], args: readonly string[]): object {
  const [container] = template.spec.containers;
  return { ...spec, template: { ...template, spec: { ...template.spec, containers: [{ ...container, args }] } } };
}

const Binding = z.looseObject({ roleRef: z.object({ kind: z.string(), name: z.string() }) });

/** Returns which roles are bound: to the account of the operator, because the chart binds no other one by default. */
export function boundRoles(objects: readonly RenderedObject[]): (one: RenderedObject) => boolean {
  const bound = new Set(
    objects.flatMap((one) => {
      const { roleRef } = Binding.safeParse(one).data ?? {};
      return roleRef === undefined ? [] : [`${roleRef.kind} ${roleRef.name}`];
    }),
  );
  return ({ kind: roleKind, metadata }) => bound.has(`${roleKind} ${metadata.name}`);
}

/** Returns the rules of all roles of a kind that are bound. */
function rulesOf(objects: readonly RenderedObject[], roleKind: 'Role' | 'ClusterRole'): unknown[] {
  return objects
    .filter((one) => one.kind === roleKind)
    .filter(boundRoles(objects))
    .flatMap((one) => z.object({ rules: z.array(z.unknown()) }).parse(one).rules);
}

const Forwarding = z.object({
  apiVersion: z.literal(apiVersion),
  kind: z.literal(kind),
  metadata: z.object({ name: z.string() }),
  spec: z.record(z.string(), z.unknown()),
});

/** Returns the forwardings of the examples, the smallest first, without their namespaces: the user chooses it. */
function examples(): z.infer<typeof Forwarding>[] {
  const files = ['examples/forwarding.yaml', ...globSync('examples/forwardings/*.yaml', { cwd: root }).toSorted()];
  return files.flatMap((file) =>
    parseAllDocuments(read(file)).flatMap((document) => {
      const { success, data } = Forwarding.safeParse(document.toJS());
      return success ? [data] : [];
    }),
  );
}

const Node = z.looseObject({
  description: z.string().optional(),
  get properties() {
    return z.record(z.string(), Node).optional();
  },
});
type Node = z.infer<typeof Node>;

const Definition = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({ versions: z.tuple([z.object({ schema: z.object({ openAPIV3Schema: Node }) })]) }),
});

const secret = 'urn:alm:descriptor:io.kubernetes:Secret';
const text = 'urn:alm:descriptor:com.tectonic.ui:text';
const toggle = 'urn:alm:descriptor:com.tectonic.ui:booleanSwitch';
/** How the console of OpenShift shows fields: their names, and its words for their kinds. The descriptions are those of the CRD. */
const fields = {
  spec: [
    ['konnect.region', 'Region', text],
    ['konnect.tokenSecretRef.name', 'Secret with the access token of Konnect', secret],
    ['destination.secretRef.name', 'Secret with the endpoint of the SIEM', secret],
    ['organization.enabled', "Forward the organization's audit log", toggle],
    ['suspend', 'Suspend', toggle],
  ],
  status: [['conditions', 'Conditions', 'urn:alm:descriptor:io.kubernetes.conditions']],
} as const;

function ownedDefinition(): object {
  const { metadata, spec } = Definition.parse(parse(renderCRD()));
  const schema = spec.versions[0].schema.openAPIV3Schema;
  const descriptors = (part: keyof typeof fields) =>
    fields[part].map(([path, displayName, descriptor]) => {
      const { description } = nodeAt(schema, [part, ...path.split('.')]);
      return { path, displayName, description, 'x-descriptors': [descriptor] };
    });
  return {
    name: metadata.name,
    version: servedVersion,
    kind,
    displayName: kind,
    description: schema.description,
    specDescriptors: descriptors('spec'),
    statusDescriptors: descriptors('status'),
  };
}

function nodeAt(node: Node, path: readonly string[]): Node {
  return path.reduce((at, key) => {
    const next = at.properties?.[key];
    if (next === undefined) throw new Error(`the CRD has no field ${path.join('.')}`);
    return next;
  }, node);
}

const description = `Configures Kong Konnect to forward its audit logs to SumoLogic or to another SIEM.

You write one \`AuditLogForwarding\`: the SIEM, the Dev Portals, and whether the organization's own audit log is forwarded too.
The operator then:

- creates the destination in Konnect and attaches the webhooks
- applies a rotated Secret at once
- restores what another client changes in Konnect
- detaches and deletes everything when you delete the resource
- says in the status, for each object that is not in place, the cause and the way out

Audit logs do not pass through the operator, and they continue while it is down.

### Before you begin

Create a Secret with an access token of Konnect (key \`token\`), and a Secret with the endpoint of the SIEM (keys \`endpoint\` and \`authorization\`), in the namespace of the forwarding.
Begin with \`mode: Observe\`: the operator then lists in \`status.drift\` what it would change, and writes nothing to Konnect.

### Settings

Each flag of the operator has an environment variable, which you set in \`spec.config.env\` of the Subscription.
`;

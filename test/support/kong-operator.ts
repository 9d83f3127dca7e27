/**
 * Replaces kong-operator: it has the public part of the kinds `Portal` and `KonnectAPIAuthConfiguration` (`api/konnect/v1alpha1` of
 * Kong/kong-operator, v2.3.0-rc.3) and its writes of status. As with kong-operator, a test creates a Portal in two steps: first the object, then the
 * answer of Konnect. If `KONG_OPERATOR_CRD_DIR` names the folder `config/crd/kong-operator` of a checkout of kong-operator, the tests use its own
 * definitions.
 */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

const group = 'konnect.konghq.com';

export const portalCRD = `portals.${group}`;
export const authConfigurationCRD = `konnectapiauthconfigurations.${group}`;

const text = (maxLength: number) => ({ type: 'string', maxLength });
const anyText = { type: 'string' };
const rule = (condition: string, message: string) => ({ rule: condition, message });

const conditions = {
  type: 'array',
  maxItems: 8,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
  items: {
    type: 'object',
    required: ['type', 'status', 'reason', 'message', 'lastTransitionTime'],
    properties: {
      type: text(316),
      status: { type: 'string', enum: ['True', 'False', 'Unknown'] },
      reason: text(1024),
      message: text(32_768),
      lastTransitionTime: { type: 'string', format: 'date-time' },
      observedGeneration: { type: 'integer', format: 'int64' },
    },
  },
};

interface Kind {
  readonly kind: string;
  readonly columns: readonly { readonly name: string; readonly jsonPath: string }[];
  readonly isSpecRequired: boolean;
  readonly spec: object;
  readonly status: Readonly<Record<string, object>>;
}

/** Returns the definition of a kind. It is kong-operator's own one if the folder of these is known. */
function definitionOf({ kind, columns, isSpecRequired, spec, status }: Kind) {
  const singular = kind.toLowerCase();
  const plural = `${singular}s`;
  const standIn = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      names: { kind, listKind: `${kind}List`, plural, singular },
      scope: 'Namespaced',
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns.map((column) => ({ type: 'string', ...column })),
          schema: {
            openAPIV3Schema: {
              type: 'object',
              ...(isSpecRequired ? { required: ['spec'] } : {}),
              properties: {
                apiVersion: anyText,
                kind: anyText,
                metadata: { type: 'object' },
                spec,
                status: { type: 'object', properties: { conditions, ...status } },
              },
            },
          },
        },
      ],
    },
  };
  const folder = process.env['KONG_OPERATOR_CRD_DIR'];
  if (folder === undefined) return standIn;
  const own: typeof standIn = parse(readFileSync(`${folder}/${group}_${plural}.yaml`, 'utf8'));
  return own;
}

export const portalDefinition = definitionOf({
  kind: 'Portal',
  columns: [
    { name: 'ID', jsonPath: '.status.id' },
    { name: 'OrgID', jsonPath: '.status.organizationID' },
  ],
  isSpecRequired: false,
  spec: {
    type: 'object',
    required: ['konnect'],
    properties: {
      konnect: {
        type: 'object',
        required: ['authRef'],
        properties: { authRef: { type: 'object', required: ['name'], properties: { name: text(253) } } },
      },
      apiSpec: {
        type: 'object',
        required: ['name'],
        properties: {
          name: {
            ...text(255),
            minLength: 1,
            'x-kubernetes-validations': [rule('self == oldSelf', 'name is immutable')],
          },
        },
      },
    },
  },
  status: {
    id: text(256),
    organizationID: text(256),
    serverURL: text(512),
    observedGeneration: { type: 'integer', format: 'int64' },
  },
});

export const authConfigurationDefinition = definitionOf({
  kind: 'KonnectAPIAuthConfiguration',
  columns: [
    { name: 'Valid', jsonPath: '.status.conditions[?(@.type=="APIAuthValid")].status' },
    { name: 'OrgID', jsonPath: '.status.organizationID' },
  ],
  isSpecRequired: true,
  spec: {
    type: 'object',
    required: ['type', 'serverURL'],
    properties: {
      type: { type: 'string', enum: ['token', 'secretRef'] },
      token: anyText,
      secretRef: { type: 'object', properties: { name: anyText, namespace: anyText } },
      serverURL: {
        type: 'string',
        minLength: 1,
        'x-kubernetes-validations': [rule('self == oldSelf', 'serverURL is immutable')],
      },
    },
    'x-kubernetes-validations': [
      rule("self.type != 'token' || has(self.token)", 'type token needs a token'),
      rule("self.type != 'secretRef' || has(self.secretRef)", 'type secretRef needs a secretRef'),
      rule('!has(self.token) || !has(self.secretRef)', 'token and secretRef exclude each other'),
      rule("!has(self.token) || self.token.matches('^[ks]pat_')", 'a token begins with kpat_ or spat_'),
    ],
  },
  status: { organizationID: anyText, serverURL: anyText },
});

export function authConfigurationObject(name: string, spec: Readonly<Record<string, unknown>>) {
  return {
    apiVersion: `${group}/v1alpha1`,
    kind: 'KonnectAPIAuthConfiguration',
    metadata: { name },
    spec: { serverURL: 'us.api.konghq.com', ...spec },
  };
}

export function portalObject(name: string) {
  return {
    apiVersion: `${group}/v1alpha1`,
    kind: 'Portal',
    metadata: { name },
    spec: { konnect: { authRef: { name: 'konnect' } }, apiSpec: { name } },
  };
}

/** Returns the condition that kong-operator writes when all is well. */
const well = (type: string) => [
  { type, status: 'True', reason: 'Valid', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' },
];

/** Returns the arguments of kubectl that write the status of a KonnectAPIAuthConfiguration whose token Konnect accepts. */
export function validateAuthConfiguration(name: string, organizationID: string): string[] {
  const status = { conditions: well('APIAuthValid'), organizationID, serverURL: 'https://us.api.konghq.com' };
  const patch = JSON.stringify({ status });
  return ['patch', authConfigurationCRD, name, '--subresource=status', '--type=merge', '-p', patch];
}

export interface PortalStatus {
  readonly id?: string | null;
  readonly organizationID?: string | null;
  readonly serverURL?: string | null;
}

/** Returns the arguments of kubectl that write a Portal's status as kong-operator does. Null removes a field. */
export function programPortal(name: string, { id = null, ...rest }: PortalStatus): string[] {
  const status = { id, conditions: id === null ? null : well('Programmed'), ...rest };
  return ['patch', portalCRD, name, '--subresource=status', '--type=merge', '-p', JSON.stringify({ status })];
}

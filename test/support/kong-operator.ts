/**
 * Replaces kong-operator: it has the public part of the kind `Portal` (`api/konnect/v1alpha1` of Kong/kong-operator) and its writes of status. As
 * with kong-operator, a test creates a Portal in two steps: first the object, then the answer of Konnect.
 */
const group = 'konnect.konghq.com';

export const portalCRD = `portals.${group}`;

const text = (maxLength: number) => ({ type: 'string', maxLength });

export const portalDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: portalCRD },
  spec: {
    group,
    names: { kind: 'Portal', listKind: 'PortalList', plural: 'portals', singular: 'portal' },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: [
          { name: 'ID', type: 'string', jsonPath: '.status.id' },
          { name: 'OrgID', type: 'string', jsonPath: '.status.organizationID' },
        ],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              apiVersion: { type: 'string' },
              kind: { type: 'string' },
              metadata: { type: 'object' },
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
                        'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'name is immutable' }],
                      },
                    },
                  },
                },
              },
              status: {
                type: 'object',
                properties: {
                  conditions: {
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
                  },
                  id: text(256),
                  organizationID: text(256),
                  serverURL: text(512),
                  observedGeneration: { type: 'integer', format: 'int64' },
                },
              },
            },
          },
        },
      },
    ],
  },
};

export function portalObject(name: string) {
  return {
    apiVersion: `${group}/v1alpha1`,
    kind: 'Portal',
    metadata: { name },
    spec: { konnect: { authRef: { name: 'konnect' } }, apiSpec: { name } },
  };
}

export interface PortalStatus {
  readonly id?: string | null;
  readonly organizationID?: string | null;
  readonly serverURL?: string | null;
}

/** Returns the arguments of kubectl that write a Portal's status as kong-operator does. Null removes a field. */
export function programPortal(name: string, status: PortalStatus): string[] {
  return ['patch', portalCRD, name, '--subresource=status', '--type=merge', '-p', JSON.stringify({ status })];
}

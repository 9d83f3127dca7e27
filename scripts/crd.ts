/** The CustomResourceDefinition, generated from the zod schemas of `src/api/`. */
import { stringify } from 'yaml';
import * as z from 'zod';
import { group, kind, plural, Spec, Status, version } from '../src/api/v1alpha1.ts';

type Schema = z.core.JSONSchema.BaseSchema;

/** Returns a structural schema, as CRDs require it. Keeps the `x-kubernetes-` extensions of the zod metadata. */
function structural(schema: z.ZodType): Schema {
  return z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    reused: 'inline',
    override({ jsonSchema }) {
      delete jsonSchema.additionalProperties;
    },
  });
}

const columns = [
  { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
  { name: 'Reason', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].reason' },
  { name: 'Delivering', type: 'string', jsonPath: '.status.conditions[?(@.type=="Delivering")].status' },
  { name: 'Portals', type: 'string', jsonPath: '.status.portalsReady' },
  { name: 'Org', type: 'string', jsonPath: '.status.organization.state' },
  { name: 'Region', type: 'string', jsonPath: '.spec.konnect.region', priority: 1 },
  { name: 'Destination', type: 'string', jsonPath: '.status.destination.id', priority: 1 },
  { name: 'Message', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message', priority: 1 },
  { name: 'Observed', type: 'date', jsonPath: '.status.lastObservedTime', priority: 1 },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
];

export const crdFile = `crds/${group}_${plural}.yaml`;

/** Returns the CRD as YAML. */
export function renderCRD(): string {
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames: ['alf'],
        categories: ['konnect'],
      },
      scope: 'Namespaced',
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          schema: {
            openAPIV3Schema: {
              description:
                'AuditLogForwarding configures Kong Konnect to send its audit logs to SumoLogic or to another SIEM. ' +
                'The operator manages a destination, the webhooks of Dev Portals, and the webhook of the organization.',
              type: 'object',
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                metadata: { type: 'object' },
                spec: structural(Spec),
                status: structural(Status),
              },
            },
          },
        },
      ],
    },
  };
  return `# Generated from src/api/v1alpha1.ts by \`npm run generate\`. Do not edit.\n${stringify(definition, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false })}`;
}

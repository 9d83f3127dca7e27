import * as z from 'zod';
import { filtered } from '../filters.ts';
import {
  changeDestination,
  createDestination,
  deleteDestination,
  getDestination,
  listedDestinations,
  shownEndpoint,
} from '../model/destinations.ts';
import type { Destination, KonnectModel } from '../model.ts';
import type { Operation } from '../operation.ts';
import { cursorPage } from '../pages.ts';
import { unsetTime } from '../times.ts';
import { endpoint, logFormat, readBody, text } from '../validation.ts';

const creation = z.strictObject({
  name: text,
  endpoint,
  authorization: text,
  log_format: logFormat,
  skip_ssl_verification: z.boolean().optional(),
});

const change = creation.partial();

/** Returns the operations on destinations. Both versions and all hosts that serve them share one store per organization. */
export function destinationOperations(version: 'v2' | 'v3'): Operation[] {
  const collection = {
    path: `/${version}/audit-log-destinations`,
    hosts: 'any',
    resource: 'audit-log-destinations',
  } as const;
  const single = {
    ...collection,
    path: `${collection.path}/{auditLogDestinationId}`,
    hosts: 'destination-items',
  } as const;
  return [
    {
      ...collection,
      id: 'get-audit-log-destinations',
      method: 'GET',
      access: 'read',
      action: 'list',
      query:
        version === 'v2'
          ? /^(page\[(size|after|before)\]|filter\[name\](\[(eq|contains)\])?)$/
          : /^(page\[(size|after|before)\]|filter\[name\]\[(eq|contains)\])$/,
      handle(request) {
        const { model, organization, query } = request;
        const found = filtered(listedDestinations(model, organization), query, ({ name }) => ({ name }));
        const { data, meta } = cursorPage(request, found);
        return { status: 200, body: { data: data.map((item) => view(model, item)), meta } };
      },
    },
    {
      ...collection,
      id: 'create-audit-log-destination',
      method: 'POST',
      access: 'write',
      action: 'create',
      handle({ model, organization, body }) {
        const { log_format, skip_ssl_verification, ...fields } = readBody(creation, body);
        const created = createDestination(model, organization, {
          ...fields,
          logFormat: log_format,
          skipSSLVerification: skip_ssl_verification ?? false,
        });
        return { status: 201, body: view(model, created) };
      },
    },
    {
      ...single,
      id: 'get-audit-log-destination',
      method: 'GET',
      access: 'read',
      action: 'retrieve',
      handle: ({ model, organization, params }) => ({
        status: 200,
        body: view(model, getDestination(organization, params['auditLogDestinationId'] ?? '')),
      }),
    },
    {
      ...single,
      id: 'update-audit-log-destination',
      method: 'PATCH',
      access: 'write',
      action: 'update',
      handle({ model, organization, params, body }) {
        const id = params['auditLogDestinationId'] ?? '';
        getDestination(organization, id);
        const { log_format, skip_ssl_verification, ...fields } = readBody(change, body);
        const { fillPatchDefaults, patchAnswersUpdatedAt, patchStatus } = model.behavior;
        const changed = changeDestination(model, organization, id, {
          ...fields,
          logFormat: log_format ?? (fillPatchDefaults ? 'cef' : undefined),
          skipSSLVerification: skip_ssl_verification ?? (fillPatchDefaults ? false : undefined),
        });
        const { updated_at, ...rest } = view(model, changed);
        return { status: patchStatus, body: patchAnswersUpdatedAt ? { ...rest, updated_at } : rest };
      },
    },
    {
      ...single,
      id: 'delete-audit-log-destination',
      method: 'DELETE',
      access: 'write',
      action: 'delete',
      handle({ model, organization, params }) {
        deleteDestination(model, organization, params['auditLogDestinationId'] ?? '');
        return { status: 204 };
      },
    },
  ];
}

/** Returns how answers show a destination: with the endpoint, without the authorization. */
function view(model: KonnectModel, destination: Destination): Record<string, unknown> {
  const { id, name, endpoint: url, logFormat: log_format, skipSSLVerification, createdAt, updatedAt } = destination;
  const first = model.behavior.firstUpdatedAt === 'created' ? createdAt.toISOString() : unsetTime(model);
  return {
    id,
    name,
    endpoint: shownEndpoint(model, url),
    log_format,
    skip_ssl_verification: skipSSLVerification,
    created_at: createdAt.toISOString(),
    updated_at: updatedAt?.toISOString() ?? first,
  };
}

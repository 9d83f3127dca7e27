import { filtered } from '../filters.ts';
import type { Operation } from '../operation.ts';
import { numberedPage } from '../pages.ts';
import { forbidden } from '../problem.ts';

/** Answers with the organization of the token. */
const getOrganization: Operation = {
  id: 'get-organizations-me',
  method: 'GET',
  path: '/v3/organizations/me',
  hosts: 'global',
  access: 'read',
  resource: 'organizations',
  action: 'retrieve',
  handle({ organization, token }) {
    if (token.access === 'no-organization') throw forbidden('organizations retrieve');
    return {
      status: 200,
      body: {
        id: organization.id,
        name: organization.name,
        state: 'active',
        created_at: organization.createdAt.toISOString(),
        updated_at: organization.createdAt.toISOString(),
      },
    };
  },
};

const listControlPlanes: Operation = {
  id: 'list-control-planes',
  method: 'GET',
  path: '/v2/control-planes',
  hosts: 'regional',
  access: 'read',
  resource: 'control-planes',
  action: 'list',
  query: /^(page\[(size|number)\]|filter\[(id|name)\](\[(eq|oeq|neq|contains|ocontains)\])?)$/,
  handle(request) {
    const { organization, region } = request;
    const here = organization.controlPlanes.filter((plane) => plane.region === undefined || plane.region === region);
    const { data, meta } = numberedPage(
      request,
      filtered(here, request.query, ({ id, name }) => ({ id, name })),
    );
    return {
      status: 200,
      body: {
        meta,
        data: data.map(({ id, name }) => ({
          id,
          name,
          labels: {},
          config: {
            cluster_type: 'CLUSTER_TYPE_CONTROL_PLANE',
            auth_type: 'pinned_client_certs',
            cloud_gateway: false,
          },
          created_at: organization.createdAt.toISOString(),
          updated_at: organization.createdAt.toISOString(),
        })),
      },
    };
  },
};

export const organizationOperations: readonly Operation[] = [getOrganization, listControlPlanes];

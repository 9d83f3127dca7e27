import { comparable, filtered } from '../filters.ts';
import type { Portal } from '../model.ts';
import type { Operation, OperationRequest } from '../operation.ts';
import { numberedPage } from '../pages.ts';
import { notFound } from '../problem.ts';
import { invalid } from '../validation.ts';

const sortable = [
  'name',
  'description',
  'authentication_enabled',
  'rbac_enabled',
  'auto_approve_applications',
  'auto_approve_developers',
  'default_domain',
  'canonical_domain',
  'created_at',
  'updated_at',
];

/** The operations on portals. A portal is visible only in its own region. */
export const portalOperations: readonly Operation[] = [
  {
    id: 'list-portals',
    method: 'GET',
    path: '/v3/portals',
    hosts: 'regional',
    access: 'read',
    resource: 'portals',
    action: 'list',
    query:
      /^(page\[(size|number)\]|sort|filter\[id\]\[(eq|oeq|neq)\]|filter\[(name|description|default_domain|canonical_domain)\](\[(eq|oeq|neq|contains|ocontains)\])?)$/,
    handle(request) {
      const { organization, region, query } = request;
      const portals = [...organization.portals.values()].filter((portal) => portal.region === region).map(view);
      const found = sorted(
        filtered(portals, query, (portal) => portal),
        query.get('sort'),
      );
      return { status: 200, body: numberedPage(request, found) };
    },
  },
  {
    id: 'get-portal',
    method: 'GET',
    path: '/v3/portals/{portalId}',
    hosts: 'regional',
    access: 'read',
    resource: 'portals',
    action: 'retrieve',
    handle: (request) => ({ status: 200, body: view(portalOf(request)) }),
  },
];

/** @throws {Problem} 404 for an unknown portal, and for one of another organization or region */
export function portalOf({
  organization,
  region,
  params,
}: Pick<OperationRequest, 'organization' | 'region' | 'params'>): Portal {
  const portal = organization.portals.get(params['portalId'] ?? '');
  if (portal?.region !== region) throw notFound(`portal ${params['portalId']}`);
  return portal;
}

function sorted(portals: Record<string, unknown>[], sort: string | null): Record<string, unknown>[] {
  if (sort === null) return portals;
  const [field = '', direction = 'asc', ...rest] = sort.split(' ');
  if (!sortable.includes(field) || !['asc', 'desc'].includes(direction) || rest.length > 0) {
    const reason = `must be one of [${sortable.join(', ')}], not [${sort}]`;
    throw invalid([{ field: 'sort', rule: 'enum', choices: sortable, reason, source: 'query' }]);
  }
  const sign = direction === 'asc' ? 1 : -1;
  return portals.toSorted((a, b) => sign * comparable(a[field]).localeCompare(comparable(b[field])));
}

function view({ id, name, region, createdAt }: Portal): Record<string, unknown> {
  const domain = `${id.replaceAll('-', '').slice(0, 12)}.edge.${region}.portal.konghq.com`;
  return {
    id,
    created_at: createdAt.toISOString(),
    updated_at: createdAt.toISOString(),
    name,
    display_name: name,
    description: null,
    authentication_enabled: true,
    rbac_enabled: false,
    sipr_enabled: false,
    default_api_visibility: 'private',
    default_page_visibility: 'private',
    default_application_auth_strategy_id: null,
    auto_approve_applications: false,
    auto_approve_developers: false,
    default_domain: domain,
    canonical_domain: domain,
    labels: {},
    notifications_developer_pii_visibility_enabled: false,
  };
}

import { describe, expect, test } from '@jest/globals';
import { operations } from '../../sandbox/konnect/routes.ts';
import { documentFiles, loadOperations } from './openapi-documents.ts';
import { driveEverything } from './openapi-drive.ts';

const folder = process.env['KONNECT_OPENAPI_DIR'];

/** Operations of the local Konnect that no document has. */
const undocumented = new Set(['get-organizations-me', 'list-control-planes', 'authenticate-developer']);

/** Deviations of the local Konnect from the documents, with reasons. */
const exceptions: readonly { readonly deviation: RegExp; readonly reason: string }[] = [
  {
    deviation: /-webhook 20[01]: answer \/audit_log_destination_id must match format "uuid"$/,
    reason: 'A webhook that names no destination has an empty id, as the description of DELETE says.',
  },
  {
    deviation:
      /^(get|update)-audit-logs-webhook 20[01]: answer {2}must have required property 'audit_log_destination_id'$/,
    reason: 'Clients have met unconfigured webhooks without the id; the sandbox can be set to answer so.',
  },
  {
    deviation: /-webhook-status 200: answer \/webhook_status must be equal to one of the allowed values$/,
    reason: 'Kong’s documentation has a third status, unconfigured.',
  },
  {
    deviation: /^update-.* 201: status is not declared$/,
    reason: 'Kong’s how-tos show 201 for PATCH; the sandbox can be set to answer so.',
  },
  {
    deviation: /^(create|update)-audit-log-destination 409: status is not declared$/,
    reason: 'Whether names are unique is not known; the sandbox can do both.',
  },
  {
    deviation: /^get-\S+ 400: status is not declared$/,
    reason:
      'The documents do not say what becomes of query parameters that are wrong or unknown; the sandbox refuses them.',
  },
  {
    deviation:
      /^(create|update)-\S+ 20[01]: request \/\w+ must be (string|boolean|equal to one of the allowed values) \(null\)$/,
    reason: 'A field sent as null counts as left out: one of Kong’s own clients sends its unset fields so.',
  },
  {
    deviation: /: answer \/(data\/\d+\/)?(updated_at|start_at|end_at) must match format "date-time"$/,
    reason: 'The documents’ own initial value, 0001-01-01T00:00:0Z, is malformed; the sandbox can be set to answer it.',
  },
];

if (folder === undefined) {
  test(`the local Konnect is not compared with Kong’s documents: KONNECT_OPENAPI_DIR is not set`, () => {
    const files = Object.keys(documentFiles).join(', ');
    process.stdout.write(
      `To check the local Konnect against Kong's OpenAPI documents, set KONNECT_OPENAPI_DIR to a folder with ${files}.\n`,
    );
    expect(folder).toBeUndefined();
  });
} else {
  const documented = loadOperations(folder);

  describe('the local Konnect and Kong’s documents', () => {
    test('have the same operations and names', () => {
      const theirs = documented
        .filter(({ path }) => /audit-log|^\/v3\/portals(\/\{portalId\})?$/.test(path))
        .filter(({ path, method }) => path.includes('audit-log') || method === 'GET')
        .map(({ id, method, path }) => `${method} ${path} ${id}`);
      const ours = operations
        .filter(({ id }) => !undocumented.has(id))
        .map(({ id, method, path }) => `${method} ${path} ${id}`);
      expect(ours.toSorted()).toEqual(theirs.toSorted());
    });

    test('allow the same requests and declare the same answers, with the listed exceptions', async () => {
      const exchanges = await driveEverything();
      const seen = new Set<string>();
      const deviations = new Set<string>();
      for (const exchange of exchanges) {
        const operation = documented.find(
          ({ method, path }) => method === exchange.method && matches(path, exchange.path),
        );
        if (operation === undefined) continue;
        seen.add(`${operation.method} ${operation.path} ${exchange.status}`);
        for (const deviation of operation.deviations(exchange)) deviations.add(deviation);
      }
      const unexpected = [...deviations].filter((line) => !exceptions.some(({ deviation }) => deviation.test(line)));
      expect(unexpected).toEqual([]);
      const unused = exceptions.filter(({ deviation }) => ![...deviations].some((line) => deviation.test(line)));
      expect(unused).toEqual([]);

      const served = documented.filter((theirs) =>
        operations.some(({ method, path }) => method === theirs.method && path === theirs.path),
      );
      const declared = served.flatMap(({ method, path, statuses }) =>
        statuses.map((status) => `${method} ${path} ${status}`),
      );
      expect(declared.filter((line) => !seen.has(line))).toEqual([]);
    });
  });
}

function matches(template: string, path: string): boolean {
  return new RegExp(`^${template.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path);
}

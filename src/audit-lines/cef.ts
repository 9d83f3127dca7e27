/** Formats entries of Konnect's list of audit logs as CEF. Pure. */

type Entry = Readonly<Record<string, unknown>>;

/**
 * Returns an entry as a line of CEF with the fields and names of Konnect's own lines. It is no line that Konnect sent: it has no signature, and the names of
 * authorizations come from the resource in the entry.
 */
export function toCEF(entry: Entry): string {
  const time = new Date(text(entry['ts']));
  const isValid = !Number.isNaN(time.getTime());
  const { classID, name, severity, extension } = describe(entry);
  const fields = {
    rt: isValid ? String(time.getTime()) : '',
    src: entry['client_ip'],
    ...extension,
    org_id: entry['org_id'],
    portal_id: entry['portal_id'],
    principal_id: entry['principal_id'],
    actor_id: entry['actor_id'],
    trace_id: entry['trace_id'],
    user_agent: entry['user_agent'],
  };
  const pairs = Object.entries(fields).flatMap(([key, value]) =>
    value === undefined || value === null ? [] : [`${key}=${escaped(text(value), /[\\=]/g)}`],
  );
  const prefix = isValid ? `${time.toISOString().slice(0, 19)}Z konghq.com ` : '';
  const header = ['KongInc', 'Konnect', '1.0', classID, name, severity].map((part) => escaped(part, /[\\|]/g));
  return `${prefix}CEF:0|${header.join('|')}|${pairs.join(' ')}`;
}

function describe(entry: Entry): { classID: string; name: string; severity: string; extension: Entry } {
  switch (entry['type']) {
    case 'authentication':
      return {
        classID: `AUTHENTICATION_TYPE_${text(entry['authentication_type']).toUpperCase()}`,
        name: `AUTHENTICATION_OUTCOME_${text(entry['outcome']).toUpperCase()}`,
        severity: '0',
        extension: { request: entry['uri'], success: entry['successful'] },
      };
    case 'gateway_access':
      return {
        classID: 'konnect',
        name: 'Ingress',
        severity: '1',
        extension: { request: entry['uri'], act: entry['method'], query: entry['query'], status: entry['status_code'] },
      };
    default:
      return {
        classID: 'konnect',
        name: `Authz.${text(entry['resource']).replace(/^.*:/s, '')}`,
        severity: '1',
        extension: { action: entry['action'], granted: entry['granted'] },
      };
  }
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

/** Escapes what CEF escapes. A line end becomes a blank, because a log has one entry on each line. */
function escaped(value: string, special: RegExp): string {
  return value.replaceAll(special, String.raw`\$&`).replaceAll(/[\r\n]+/g, ' ');
}

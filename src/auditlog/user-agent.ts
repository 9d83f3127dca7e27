import { version } from '../config/config.ts';

/** How the commands name themselves to Konnect and to the API server. */
export const userAgent = `konnect-audit-log-operator/${version} (auditlog)`;

/** Says what a verification proves. Pure. */
import type { TimeRange } from '../status/verification.ts';
import type { SumoLogicError } from '../sumologic/errors.ts';
import { maxJobs } from './collect.ts';
import type { LedgerCounts } from './ledgers.ts';

export interface Verdict {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason:
    | 'AllFound'
    | 'NewestFound'
    | 'LinesMissing'
    | 'SignatureInvalid'
    | 'ForeignLines'
    | 'SumoLogicUnavailable'
    | 'NotSearchedYet'
    | 'SearchRefused';
  readonly message: string;
}

/** What the verification knows beside the counts. */
export interface Evidence {
  readonly counts: LedgerCounts;
  /** What was compared. */
  readonly period: TimeRange;
  /** The end of what is old enough to be compared. */
  readonly latestTo: Date;
  /** What was never compared, and is too old now. */
  readonly lost: TimeRange | undefined;
  /** False if Konnect does not show its list, or if spec forwards only logs of portals, which are in no list. */
  readonly hasList: boolean;
  /** True if spec forwards the organization's audit log. */
  readonly hasOrganization: boolean;
  /** False if Konnect publishes no keys. */
  readonly hasKeys: boolean;
  /** When the operator made a call only to look for its line. Undefined if it made none. */
  readonly probeTime: string | undefined;
  /** True if the last delivery of the organization's webhook succeeded. */
  readonly isDelivered: boolean;
}

/** Returns the verdict, or undefined if SumoLogic has no line, and nothing says that it should have one. */
export function verdictOf(evidence: Evidence): Verdict | undefined {
  const { counts, hasList, hasOrganization, probeTime } = evidence;
  const problems = [...missing(evidence), ...invalid(evidence), ...foreign(evidence)];
  const [first] = problems;
  if (first !== undefined) {
    const messages = [...problems.map(({ message }) => message), ...notCompared(evidence)];
    return { ...first, message: messages.join('; ') };
  }
  if (hasList) {
    const message = [allFound(evidence), ...notCompared(evidence)].join('; ');
    return { status: 'True', reason: 'AllFound', message };
  }
  const newestMs = counts.newestMs[hasOrganization ? 'organization' : 'portals'];
  if (newestMs === undefined) return probeTime === undefined ? undefined : lacksProbe(evidence, probeTime);
  const why = hasOrganization ? 'does not show its list of audit logs' : 'has no list of the logins to Dev Portals';
  const message = `the newest line in SumoLogic is from ${toSecond(newestMs)}, and ${signatures(evidence)}; Konnect ${why}, so that nothing shows whether a line is missing`;
  return { status: 'True', reason: 'NewestFound', message };
}

function allFound(evidence: Evidence): string {
  const { entries } = evidence.counts;
  const when = between(evidence.period);
  if (entries === 0) return `Konnect audited nothing ${when}`;
  return `SumoLogic has each of the ${String(entries)} entries of Konnect's list of audit logs ${when}, and ${signatures(evidence)}`;
}

/** Returns a sentence for what is still to be compared after an outage, or in a long list, and one for what cannot be compared anymore. */
function notCompared({ period, latestTo, lost, hasList }: Evidence): string[] {
  if (!hasList) return [];
  return [
    ...(lost === undefined
      ? []
      : [`nothing has compared the entries ${between(lost)}, and Konnect keeps them for seven days only`]),
    ...(period.to.getTime() === latestTo.getTime()
      ? []
      : [`the operator compares the entries since ${toSecond(period.to.getTime())} next`]),
  ];
}

function signatures({ counts, hasKeys }: Evidence): string {
  if (!hasKeys) return 'no signature is checked, because Konnect publishes no keys';
  const { unsigned } = counts;
  return unsigned === 0
    ? 'every signature is valid'
    : `no signature is invalid; ${lines(unsigned)} without a signature`;
}

function missing(evidence: Evidence): Verdict[] {
  const { counts, period, hasList } = evidence;
  const { oldestMissing: oldest } = counts;
  if (!hasList || oldest === undefined) return [];
  const what = `${String(counts.missing)} of ${String(counts.entries)} entries of Konnect's list of audit logs ${between(period)}`;
  const message = `${what} are missing in SumoLogic, the oldest from ${toSecond(oldest.timeMs)} (trace ${oldest.traceID}): ${remedy(evidence)}`;
  return [{ status: 'False', reason: 'LinesMissing', message }];
}

function lacksProbe(evidence: Evidence, probeTime: string): Verdict {
  const message = `the operator listed the control planes at ${toSecond(Date.parse(probeTime))} only to look for the line of this call, and SumoLogic has no line: ${remedy(evidence)}`;
  return { status: 'False', reason: 'LinesMissing', message };
}

function remedy({ isDelivered }: Evidence): string {
  return isDelivered
    ? 'SumoLogic accepts the deliveries and drops lines. Check the ingest budget and the processing rules of the source, and that spec.verification.sumoLogic.query finds its lines'
    : 'deliveries fail or have not begun, see the condition Delivering';
}

function invalid({ counts: { invalidSignatures } }: Evidence): Verdict[] {
  if (invalidSignatures === 0) return [];
  const message = `${lines(invalidSignatures)} in SumoLogic with an invalid signature: something changed them on their way, or another sender wrote them. Export them and name them with auditlog verify`;
  return [{ status: 'False', reason: 'SignatureInvalid', message }];
}

function foreign({ counts, period }: Evidence): Verdict[] {
  if (counts.foreign === 0) return [];
  const message = `${lines(counts.foreign)} ${between(period)} in SumoLogic that Konnect's list of audit logs lacks: check who knows the URL of the source, and that spec.verification.sumoLogic.query finds lines of this region only`;
  return [{ status: 'False', reason: 'ForeignLines', message }];
}

/** Returns the verdict of a search that failed. `secret` names the Secret of the access key. */
export function refusedSearch(error: SumoLogicError, secret: string): Verdict {
  const { kind, status, deployment } = error;
  const code = String(status ?? 0);
  const refused = (message: string): Verdict => ({ status: 'Unknown', reason: 'SearchRefused', message });
  const unavailable = (message: string): Verdict => ({ status: 'Unknown', reason: 'SumoLogicUnavailable', message });
  switch (kind) {
    case 'Unauthorized':
      return refused(
        `SumoLogic rejects the access key (HTTP ${code}): put a valid access ID and access key into ${secret}`,
      );
    case 'Forbidden':
      return refused(
        `SumoLogic does not let the access key search (HTTP ${code}): give its user a role that may search the logs of the source`,
      );
    case 'WrongDeployment':
      return refused(
        deployment === undefined
          ? `the access key belongs to another deployment of SumoLogic (HTTP ${code}): set spec.verification.sumoLogic.deployment to the one in the address of its web interface`
          : `the access key belongs to the deployment ${deployment} of SumoLogic (HTTP ${code}): set spec.verification.sumoLogic.deployment to ${deployment}`,
      );
    case 'InvalidQuery':
      return refused(
        `SumoLogic does not understand the query (HTTP ${code}): correct spec.verification.sumoLogic.query`,
      );
    case 'RateLimited':
      return unavailable(
        `SumoLogic limits the requests or search jobs of its organization (HTTP ${code}); the operator searches again`,
      );
    case 'JobGone':
      return unavailable('SumoLogic has canceled the search; the operator searches again');
    case 'Unavailable':
      if (error.code === 'SEARCH_TAKES_TOO_LONG')
        return unavailable(
          'SumoLogic has not ended the search within ten minutes; the operator searches again. If this lasts, narrow spec.verification.sumoLogic.query, or shorten spec.verification.interval and spec.verification.window',
        );
      return unavailable(
        status === undefined
          ? 'SumoLogic does not answer, or takes too long; the operator searches again. If this lasts, check DNS, the firewall, the proxy and --sumologic-url'
          : `SumoLogic fails to search (HTTP ${code}); the operator searches again. If this lasts, check the status page of SumoLogic and --sumologic-url`,
      );
  }
}

/** Returns the verdict of a search that finds more lines than search jobs return. */
export function tooManyLines(since: Date): Verdict {
  const message = `SumoLogic has received more lines since ${toSecond(since.getTime())} than ${String(maxJobs)} search jobs return, and the operator has compared none: narrow spec.verification.sumoLogic.query to the lines of this forwarding, or shorten spec.verification.interval and spec.verification.window`;
  return { status: 'Unknown', reason: 'SearchRefused', message };
}

/** Returns the verdict of a verification that could not begin. */
export function notSearched(why: string): Verdict {
  return { status: 'Unknown', reason: 'NotSearchedYet', message: `the operator has not searched yet: ${why}` };
}

function lines(count: number): string {
  return count === 1 ? 'there is 1 line' : `there are ${String(count)} lines`;
}

function between({ from, to }: TimeRange): string {
  return `between ${toSecond(from.getTime())} and ${toSecond(to.getTime())}`;
}

function toSecond(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

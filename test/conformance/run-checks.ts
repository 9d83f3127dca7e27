import { NotBorrowedError } from './checks/borrow-webhook.ts';
import { askDestinationHosts } from './checks/destination-hosts.ts';
import { askDestinations } from './checks/destinations.ts';
import { askOrganization } from './checks/organization.ts';
import { askTwoViews } from './checks/two-views.ts';
import { askWebhook } from './checks/webhooks.ts';
import { type ContractClient, createContractClient, type Polling } from './contract-client.ts';
import type { Finding } from './finding.ts';
import { loadOperations } from './openapi-documents.ts';
import type { ContractSettings } from './settings.ts';

export interface CheckResults {
  readonly findings: readonly Finding[];
  /** Groups of checks that did not run or failed, and why. */
  readonly unanswered: readonly string[];
  /** Objects that could not be removed. */
  readonly left: readonly string[];
  /** Answers that Kong's documents do not declare. Undefined without documents. */
  readonly deviations: readonly string[] | undefined;
}

export interface InterrogationOptions {
  readonly settings: ContractSettings;
  readonly polling: Polling;
  /** After an abort, no further check runs, and everything is cleaned up. */
  readonly signal: AbortSignal;
  /** Folder with Kong's OpenAPI documents. */
  readonly documents?: string;
  /** Called with each line of output. */
  readonly tell: (line: string) => void;
}

/** Runs all checks in sequence, and always cleans up. */
export async function runChecks(options: InterrogationOptions): Promise<CheckResults> {
  const { settings, polling, signal, documents, tell } = options;
  const client = createContractClient(settings, polling, signal);
  const findings: Finding[] = [];
  const unanswered: string[] = [];
  let left: string[];
  try {
    for (const [title, group] of groupsOf(client)) {
      tell(`\n${title}`);
      try {
        for await (const found of group()) {
          findings.push(found);
          tell(`  ${found.question}\n      ${found.answer}   [${found.id}]`);
        }
      } catch (error) {
        if (signal.aborted) throw error;
        const reason = error instanceof Error ? error.message : String(error);
        unanswered.push(`${title}: ${error instanceof NotBorrowedError ? 'left alone' : 'broken off'}: ${reason}`);
        tell(`  ${unanswered.at(-1)}`);
      }
    }
  } finally {
    left = await client.cleanUp();
    tell(left.length === 0 ? '\nEverything that was made is gone.' : `\nStill there, to be removed by hand:`);
    for (const line of left) tell(`  ${line}`);
  }
  return {
    findings,
    unanswered,
    left,
    deviations: documents === undefined ? undefined : deviationsOf(client, documents),
  };
}

function groupsOf(client: ContractClient): [title: string, group: () => AsyncGenerator<Finding>][] {
  const { portalID } = client.settings;
  return [
    ['The host that serves one destination', () => askDestinationHosts(client)],
    ['The organization', () => askOrganization(client)],
    ['Destinations', () => askDestinations(client)],
    ...(portalID === undefined
      ? []
      : [
          [
            'The portal’s webhook',
            () => askWebhook(client, { kind: 'portal', path: `/v3/portals/${portalID}/audit-log-webhook` }),
          ] satisfies [string, () => AsyncGenerator<Finding>],
        ]),
    ['The organization’s webhook', () => askWebhook(client, { kind: 'organization', path: '/v3/audit-log-webhook' })],
    ['The organization’s webhook in two versions', () => askTwoViews(client)],
  ];
}

function deviationsOf({ exchanges }: ContractClient, folder: string): string[] {
  const operations = loadOperations(folder).map((operation) => ({
    operation,
    pattern: new RegExp(`^${operation.path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
  }));
  const found = exchanges.flatMap((exchange) => {
    const operation = operations.find(
      ({ operation: { method }, pattern }) => method === exchange.method && pattern.test(exchange.path),
    )?.operation;
    return operation?.deviations(exchange) ?? [];
  });
  return [...new Set(found)].toSorted();
}

import { LeftAlone } from './checks/borrow-webhook.ts';
import { askDestinations } from './checks/destinations.ts';
import { askOrganization } from './checks/organization.ts';
import { askTwoViews } from './checks/two-views.ts';
import { askWebhook } from './checks/webhooks.ts';
import { createHand, type OrganizationHand, type Patience } from './contract-client.ts';
import type { Finding } from './finding.ts';
import { loadOperations } from './openapi-documents.ts';
import type { ContractSettings } from './settings.ts';

export interface Interrogation {
  readonly findings: readonly Finding[];
  /** Groups that were not asked, or broke off, and why. */
  readonly unanswered: readonly string[];
  /** What is still there and should not be. */
  readonly left: readonly string[];
  /** Answers that Kong's documents do not declare; undefined where there are no documents. */
  readonly deviations: readonly string[] | undefined;
}

export interface InterrogationOptions {
  readonly settings: ContractSettings;
  readonly patience: Patience;
  /** Aborted: nothing more is asked, and everything is cleaned up. */
  readonly signal: AbortSignal;
  /** A folder with Kong's OpenAPI documents. */
  readonly documents?: string;
  /** Hears of each answer as it comes. */
  readonly tell: (line: string) => void;
}

/** Asks everything, one after the other, and cleans up whatever happens. */
export async function interrogate(options: InterrogationOptions): Promise<Interrogation> {
  const { settings, patience, signal, documents, tell } = options;
  const hand = createHand(settings, patience, signal);
  const findings: Finding[] = [];
  const unanswered: string[] = [];
  let left: string[];
  try {
    for (const [title, group] of groupsOf(hand)) {
      tell(`\n${title}`);
      try {
        for await (const found of group()) {
          findings.push(found);
          tell(`  ${found.question}\n      ${found.answer}   [${found.id}]`);
        }
      } catch (error) {
        if (signal.aborted) throw error;
        const reason = error instanceof Error ? error.message : String(error);
        unanswered.push(`${title}: ${error instanceof LeftAlone ? 'left alone' : 'broken off'}: ${reason}`);
        tell(`  ${unanswered.at(-1)}`);
      }
    }
  } finally {
    left = await hand.cleanUp();
    tell(left.length === 0 ? '\nEverything that was made is gone.' : `\nStill there, to be removed by hand:`);
    for (const line of left) tell(`  ${line}`);
  }
  return {
    findings,
    unanswered,
    left,
    deviations: documents === undefined ? undefined : deviationsOf(hand, documents),
  };
}

function groupsOf(hand: OrganizationHand): [title: string, group: () => AsyncGenerator<Finding>][] {
  const { portalID } = hand.settings;
  return [
    ['The organization', () => askOrganization(hand)],
    ['Destinations', () => askDestinations(hand)],
    ...(portalID === undefined
      ? []
      : [
          [
            'The portal’s webhook',
            () => askWebhook(hand, { kind: 'portal', path: `/v3/portals/${portalID}/audit-log-webhook` }),
          ] satisfies [string, () => AsyncGenerator<Finding>],
        ]),
    ['The organization’s webhook', () => askWebhook(hand, { kind: 'organization', path: '/v3/audit-log-webhook' })],
    ['The organization’s webhook in two versions', () => askTwoViews(hand)],
  ];
}

function deviationsOf({ exchanges }: OrganizationHand, folder: string): string[] {
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

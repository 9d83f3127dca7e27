/** The commands of docs/develop/sandbox.md, one after the other, as a reader types them. */
import { describe, expect, test } from '@jest/globals';
import { usage } from '../../sandbox/sandbox.ts';
import { document, headings } from '../docs/documents.ts';
import { eventually } from '../support/eventually.ts';
import { ownSandbox } from './support/own-sandbox.ts';
import { bash } from './support/shell.ts';

const page = document('docs/develop/sandbox.md');
const { sandbox, manifest, kubectl, ready } = ownSandbox();

/** Functions and variables of blocks that were typed already. */
const defined: string[] = [];

/** The lines that `npm run sandbox` prints for another terminal. */
function variables(): string {
  const printed = usage(sandbox(), sandbox().operator, manifest());
  return [...printed.matchAll(/^ {2}(export .*)$/gm)].map(([, line = '']) => line).join('\n');
}

/** Types the blocks of a section. Resolves with all that they print. */
async function typed(section: string): Promise<string> {
  const [, after = ''] = page.split(`\n## ${section}\n`);
  const [text = ''] = after.split('\n## ');
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block);
  expect(blocks).not.toEqual([]);
  const outputs: string[] = [];
  for (const block of blocks) {
    outputs.push(await bash([variables(), ...defined, block].join('\n'), sandbox().folder));
    defined.push(...block.split('\n').filter((line) => /^(?:\w+\(\) \{|[A-Z]+=)/.test(line)));
  }
  return outputs.join('\n');
}

const reason = () =>
  kubectl(
    'get',
    'alf',
    'sumologic',
    '-n',
    'platform',
    '-o',
    'jsonpath={.status.conditions[?(@.type=="Ready")].reason}',
  );

describe('the commands of docs/develop/sandbox.md', () => {
  test('has no section without a test', () => {
    expect(headings(page, 2)).toEqual([
      'A forwarding',
      'A login to a portal',
      'Requests and log',
      'Faults',
      'Tokens',
      'Another client',
      'Failed deliveries',
      'Variants of Konnect',
      'Faults of SumoLogic',
    ]);
  });

  test('makes a forwarding', async () => {
    await expect(typed('A forwarding')).resolves.toContain('condition met');
  });

  test('logs in to a portal, and shows the line', async () => {
    // The line arrives a moment after the login.
    await eventually(async () =>
      expect(await typed('A login to a portal')).toContain('AUTHENTICATION_OUTCOME_SUCCESS'),
    );
  });

  test('shows requests, what is configured, and the log', async () => {
    const output = await typed('Requests and log');
    expect(output).toContain('201 POST global/v3/audit-log-destinations');
    expect(output).toContain('"name": "platform/sumologic"');
    expect(output).toContain('DestinationCreated');
  });

  test('makes Konnect fail', async () => {
    const before = sandbox().services.konnect.control.calls().length;
    await expect(typed('Faults')).resolves.toMatch(/"kind": "status",\s+"status": 503/);
    expect(sandbox().services.konnect.control.faults()).toEqual([]);
    await ready();
    await eventually(async () => expect(sandbox().services.konnect.control.calls().length).toBeGreaterThan(before));
  });

  test('revokes a token, and makes another', async () => {
    await expect(typed('Tokens')).resolves.toMatch(/condition met[^]*condition met/);
    await eventually(async () => expect(await reason()).toBe('InSync'));
    const events = await kubectl('get', 'events', '-n', 'platform');
    expect(events).toContain('TokenRejected');
  });

  test('changes a webhook as another client', async () => {
    await expect(typed('Another client')).resolves.toMatch(/"enabled": ?false/);
    await eventually(async () =>
      expect(await kubectl('get', 'events', '-n', 'platform')).toContain('WebhookCorrected'),
    );
  });

  test('makes deliveries fail until Konnect switches the webhook off', async () => {
    await expect(typed('Failed deliveries')).resolves.toMatch(/"webhook_status": "inactive"[^]*"enabled": false/);
    await eventually(async () =>
      expect(await kubectl('get', 'events', '-n', 'platform')).toContain('WebhookSwitchedOn'),
    );
  });

  test('changes what Konnect does', async () => {
    await expect(typed('Variants of Konnect')).resolves.toMatch(
      /"usedDestination": "conflict"[^]*"usedDestination": "deleted"/,
    );
  });

  test('makes SumoLogic fail', async () => {
    await expect(typed('Faults of SumoLogic')).resolves.toMatch(/^\d+$/m);
  });
});

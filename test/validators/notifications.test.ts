/** The trigger and the template in argocd/notifications/, run by the engine of Argo CD. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import * as z from 'zod';
import { notifications } from './build.ts';
import { useProgram } from './use-program.ts';

const executable = useProgram(notifications);

const { data } = z
  .object({ data: z.record(z.string(), z.string()) })
  .parse(parse(readFileSync('argocd/notifications/argocd-notifications-cm.yaml', 'utf8')));

const Notification = z.object({
  triggered: z.boolean(),
  oncePer: z.string(),
  message: z.string(),
  error: z.string().optional(),
});
type Notification = z.infer<typeof Notification>;

function notify(application: object, trigger = 'on-audit-logs-degraded'): Notification {
  const input = JSON.stringify([{ configMap: data, trigger, application }]);
  const { status, stdout, stderr } = spawnSync(executable(), { input, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return z.tuple([Notification]).parse(JSON.parse(stdout))[0];
}

const forwarding = {
  group: 'konnect-audit-log.io',
  version: 'v1alpha1',
  kind: 'AuditLogForwarding',
  namespace: 'platform',
  name: 'sumologic',
};
const secret = { version: 'v1', kind: 'Secret', namespace: 'platform', name: 'konnect' };
const application = (health: string, resources: readonly object[], since = '2026-11-27T08:00:00Z') => ({
  metadata: { name: 'audit-logs', namespace: 'argocd' },
  status: { health: { status: health, lastTransitionTime: since }, resources },
});

test('a degraded Application is one message for each time at which it became so', () => {
  const first = notify(application('Degraded', [secret, forwarding]));
  expect(first).toEqual({
    triggered: true,
    oncePer: '2026-11-27T08:00:00Z',
    message:
      'Application audit-logs is Degraded. Check its forwardings of audit logs:\n' +
      'kubectl describe auditlogforwarding sumologic -n platform\n',
  });
  expect(notify(application('Degraded', [forwarding], '2026-11-28T08:00:00Z')).oncePer).not.toBe(first.oncePer);
});

test('the message has the health of each forwarding, if Argo CD keeps it in the Application', () => {
  const other = { ...forwarding, name: 'other', health: { status: 'Degraded' } };
  const { message } = notify(application('Degraded', [{ ...forwarding, health: { status: 'Healthy' } }, other]));
  expect(message.split('\n').slice(1)).toEqual([
    'kubectl describe auditlogforwarding sumologic -n platform (Healthy)',
    'kubectl describe auditlogforwarding other -n platform (Degraded)',
    '',
  ]);
});

describe('nothing is sent', () => {
  test.each([
    ['while it is healthy', application('Healthy', [forwarding])],
    ['while the operator retries', application('Progressing', [forwarding])],
    ['without a forwarding', application('Degraded', [secret])],
    ['without resources', { metadata: { name: 'new' }, status: { health: { status: 'Degraded' } } }],
  ])('%s', (_title, one) => {
    expect(notify(one)).toMatchObject({ triggered: false });
  });
});

test('an unknown trigger is an error', () => {
  expect(notify(application('Degraded', []), 'on-nothing').error).toContain('on-nothing');
});

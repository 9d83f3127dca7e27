import { describe, expect, test } from '@jest/globals';
import { type Bench, bench, fakeClock, portalID, recordingDelivery, type Sent, textAt } from './support.ts';

const portal = `/us/v3/portals/${portalID}`;
const login = `/us/__portals/${portalID}/api/v2/developer/authenticate`;

async function attach(konnect: Bench, path: string, changes: Record<string, unknown> = {}): Promise<void> {
  const id = await konnect.createDestination(changes);
  await konnect.call('PATCH', path, { body: { audit_log_destination_id: id, enabled: true } });
}

/** A developer logs in, and a client lists the control planes. */
async function makeLines(konnect: Bench): Promise<void> {
  const body = { username: 'dev@example.com', password: 'secret' };
  await konnect.call('POST', login, { token: null, body });
  await konnect.call('GET', '/us/v2/control-planes');
}

/** Returns the lines of `makeLines` that belong to the job. */
function linesOf(job: string, sent: readonly Sent[]): readonly Sent[] {
  const name = job.includes('portals') ? 'AUTHENTICATION_OUTCOME_SUCCESS' : 'Authz.control-planes';
  return sent.filter(({ event }) => event.name === name);
}

describe.each([
  ['a portal’s lines', `${portal}/audit-log-replay-job`, `${portal}/audit-log-webhook`],
  ['the organization’s lines, v2', '/us/v2/audit-log-replay-job', '/us/v3/audit-log-webhook'],
  ['the organization’s lines, v3', '/us/v3/audit-log-replay-job', '/us/v3/audit-log-webhook'],
])('a replay of %s', (_, job, webhook) => {
  test('sends the lines of that time again, one job at a time', async () => {
    const deliver = recordingDelivery();
    const clock = fakeClock();
    await using konnect = await bench({ deliver, clock });
    expect((await konnect.call('GET', job)).body['status']).toBe('unconfigured');
    await attach(konnect, webhook);
    await makeLines(konnect);
    const start_at = clock().toISOString();
    clock.advance(1000);
    const end_at = clock().toISOString();
    clock.advance(1000);
    const before = linesOf(job, deliver.sent);
    deliver.sent.length = 0;

    const accepted = await konnect.call('PUT', job, { body: { start_at, end_at } });
    expect(accepted).toMatchObject({ status: 202, body: { start_at, end_at, status: 'accepted' } });
    const again = linesOf(job, deliver.sent);
    expect(again.map(({ event }) => event)).toEqual(before.map(({ event }) => event));
    expect(again).toHaveLength(1);

    expect((await konnect.call('GET', job)).body['status']).toBe('running');
    const refused = await konnect.call('PUT', job, { body: { start_at, end_at } });
    expect(refused).toMatchObject({ status: 409, body: { detail: 'A replay job is currently running' } });
    for (const { onAttempt } of deliver.sent)
      onAttempt({ at: clock(), message: 'ok', code: 200, ok: true, givenUp: false });
    expect((await konnect.call('GET', job)).body['status']).toBe('completed');
    expect((await konnect.call('PUT', job, { body: { start_at, end_at } })).status).toBe(202);
  });

  test('runs as long as Konnect takes, and fails if a line is given up', async () => {
    const deliver = recordingDelivery();
    const clock = fakeClock();
    await using konnect = await bench({ deliver, clock, behavior: { replayDurationMs: 1000 } });
    await attach(konnect, webhook);
    await makeLines(konnect);
    const times = { start_at: clock().toISOString(), end_at: clock().toISOString() };
    deliver.sent.length = 0;
    await konnect.call('PUT', job, { body: times });
    for (const { onAttempt } of deliver.sent) onAttempt({ at: clock(), message: 'no', ok: false, givenUp: true });
    expect((await konnect.call('GET', job)).body['status']).toBe('running');
    clock.advance(1000);
    expect((await konnect.call('GET', job)).body['status']).toBe('failed');
  });

  test('waits first, then goes to what the webhook points at, and can be replaced until it runs', async () => {
    const deliver = recordingDelivery();
    const clock = fakeClock();
    await using konnect = await bench({ deliver, clock, behavior: { replayQueueMs: 2000 } });
    await attach(konnect, webhook);
    await makeLines(konnect);
    const times = { start_at: clock().toISOString(), end_at: clock().toISOString() };
    clock.advance(1);
    expect((await konnect.call('PUT', job, { body: times })).status).toBe(202);
    expect((await konnect.call('GET', job)).body['status']).toBe('accepted');
    expect((await konnect.call('PUT', job, { body: times })).status).toBe(202);
    clock.advance(1000);
    await attach(konnect, webhook, { name: 'second', endpoint: 'https://second.example.com/' });
    expect((await konnect.call('GET', job)).body).toMatchObject({ ...times, status: 'pending' });
    deliver.sent.length = 0;
    clock.advance(1000);
    expect((await konnect.call('GET', job)).body['status']).toBe('running');
    const [line, ...others] = linesOf(job, deliver.sent);
    expect([line?.target.endpoint, others]).toEqual(['https://second.example.com/', []]);
    expect((await konnect.call('PUT', job, { body: times })).status).toBe(409);
  });

  test('can fail without a reason, and be shown with an offset', async () => {
    const clock = fakeClock();
    await using konnect = await bench({ clock, behavior: { replayOutcome: 'failed', replayTimes: 'with-offset' } });
    await attach(konnect, webhook);
    await konnect.call('PUT', job, { body: { start_at: '2026-03-01T11:00:00Z', end_at: '2026-03-01T13:00:00+01:00' } });
    expect((await konnect.call('GET', job)).body).toEqual({
      start_at: '2026-03-01T11:00:00.000+00:00',
      end_at: '2026-03-01T12:00:00.000+00:00',
      status: 'failed',
      updated_at: clock().toISOString(),
    });
  });

  test('needs a webhook that is on, and times of the last seven days', async () => {
    const clock = fakeClock();
    await using konnect = await bench({ clock });
    const now = clock().toISOString();
    const good = { start_at: now, end_at: now };
    expect((await konnect.call('PUT', job, { body: good })).status).toBe(400);
    await attach(konnect, webhook);
    expect((await konnect.call('PUT', job, { body: good })).status).toBe(202);
    for (const [field, value] of [
      ['start_at', '2026-02-22T11:59:59Z'],
      ['end_at', '2026-03-01T12:00:01Z'],
      ['start_at', 'yesterday'],
      ['end_at', '2026-03-01T12:00Z'],
      ['end_at', undefined],
      ['start_at', 17],
      ['color', 'red'],
    ] as const) {
      const { status, body } = await konnect.call('PUT', job, { body: { ...good, [field]: value } });
      expect({ status, field: textAt(body, 'invalid_parameters', 0, 'field') }).toEqual({ status: 400, field });
    }
    const backwards = await konnect.call('PUT', job, { body: { start_at: now, end_at: '2026-03-01T11:00:00Z' } });
    expect(backwards.status).toBe(400);
  });
});

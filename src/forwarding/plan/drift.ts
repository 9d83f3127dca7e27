/** Computes what `mode: Observe` reports: the fields that a plan would change, without their values. Pure. */

import type { DriftStatus } from '../../api/v1alpha1.ts';
import type { RecordedState } from '../../status/recorded-state.ts';
import { objectKeyOf } from '../../status/recorded-state.ts';
import type { AttachReason, DestinationStep, Plan, WebhookStep } from './steps.ts';

const fieldOf: Readonly<Record<AttachReason, string>> = {
  unconfigured: 'audit_log_destination_id',
  'destination gone': 'audit_log_destination_id',
  adopted: 'audit_log_destination_id',
  'handed over': 'audit_log_destination_id',
  'pointed elsewhere': 'audit_log_destination_id',
  enabled: 'enabled',
  'switched off': 'enabled',
  inactive: 'enabled',
  settings: 'endpoint',
};

/** Returns the drift. `recorded` has to have everything that spec no longer wants in `cleanup`. */
export function driftOf(plan: Plan, recorded: RecordedState): DriftStatus[] {
  const fields = destinationFields(plan.destination);
  const portals = [...plan.portals].map(([id, step]) => webhookDrift(`portal/${id}`, step));
  const organization = plan.organization === undefined ? [] : [webhookDrift('organization', plan.organization)];
  const found = [
    ...(fields.length === 0 ? [] : [{ object: 'destination', fields }]),
    ...portals.flat(),
    ...organization.flat(),
  ];
  const known = new Set(found.map(({ object }) => object));
  const surplus = (recorded.cleanup ?? []).map(objectKeyOf).filter((object) => !known.has(object));
  return [...found, ...[...new Set(surplus)].map((object) => ({ object, fields: ['surplus'] }))];
}

function destinationFields(step: DestinationStep): string[] {
  switch (step.kind) {
    case 'create':
      return ['missing'];
    case 'claim':
      return ['managed', ...destinationFields(step.next)];
    case 'update':
      return [...step.differences];
    case 'keep':
    case 'none':
    case 'use':
    case 'unresolved':
    case 'wait':
    case 'refuse':
    case 'lost':
    case 'unknown':
      return [];
  }
}

function webhookDrift(object: string, step: WebhookStep): DriftStatus[] {
  return step.kind === 'attach' ? [{ object, fields: [fieldOf[step.because]] }] : [];
}

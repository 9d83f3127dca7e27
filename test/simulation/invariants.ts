/** What must hold at every moment of a scenario and in its end, whatever fails. */
export const invariants = {
  dangling: 'no webhook points at a destination that the operator deleted',
  gap: 'a webhook that should be on is never off',
  foreign: 'the operator changes no object of others',
  orphan: 'no object of the operator is left that no forwarding wants',
  remembered: 'status names an object before it exists in Konnect, and a finalizer protects the forwarding',
  duplicates: 'two destinations of one forwarding exist only after a lost POST',
  patience: 'no second POST, and no forgotten one, while lists may lack the result of the first one',
  mixed: 'endpoint and authorization of two Secrets are never mixed',
  attributed: 'no correction without a change of another client, no such change without a correction or a word',
  honest: 'status says nothing that is not true in Konnect',
  silent: 'the operator writes nothing to Konnect if it must not',
  converges: 'in the end Konnect has what spec wants, and status says so',
  rests: 'after that, the operator writes nothing more',
  once: 'Konnect accepts one replay of a period and webhook',
  undelivered: 'a replay sends nothing that was delivered',
  unforgotten: 'status has a gap before the operator corrects its cause, until Konnect has accepted its replay',
  jobs: 'status names each search job before the operator looks at it, until SumoLogic has answered its deletion',
  sound: 'a reconciliation throws only errors of Kubernetes',
} as const;
export type Invariant = keyof typeof invariants;

export interface Violation {
  readonly invariant: Invariant;
  readonly detail: string;
}

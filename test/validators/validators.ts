/** Runs the code of Argo CD, Flux and kstatus on Kubernetes objects. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import * as z from 'zod';
import { type EnsureOptions, ensureProgram, objectValidators, withoutValidatorsVariable } from './build.ts';

/** A Kubernetes object as JSON. It needs `apiVersion` and `kind`. */
export type KubeObject = Readonly<Record<string, unknown>>;

/** The data of the ConfigMap `argocd-cm`. */
export type ArgoSettings = Readonly<Record<string, string>>;

const HealthStatus = z.object({ status: z.string(), message: z.string().default('') });
export type HealthStatus = z.infer<typeof HealthStatus>;

/** `script` is the result of the health script. `shown` is what Argo CD shows: it does not run the script for objects that are being deleted. */
const Health = z.object({ script: HealthStatus, shown: HealthStatus });
export type Health = z.infer<typeof Health>;

const Action = z.looseObject({ name: z.string(), disabled: z.boolean().default(false) });
export type Action = z.infer<typeof Action>;

/** The object after the action, and the JSON merge patch that Argo CD sends for it. */
const ActionOutcome = z.object({
  object: z.record(z.string(), z.unknown()),
  patch: z.record(z.string(), z.unknown()),
});
export type ActionOutcome = z.infer<typeof ActionOutcome>;

const KStatus = z.object({ status: z.enum(['Current', 'InProgress', 'Failed', 'Terminating']), message: z.string() });
export type KStatus = z.infer<typeof KStatus>;

const Difference = z.object({ modified: z.boolean(), live: z.unknown(), predicted: z.unknown() });
/** If `modified` is true, Argo CD shows the object as OutOfSync, since a sync would change `live` to `predicted`. */
export type Difference = z.infer<typeof Difference>;

/** `client-side`: three-way merge with the last applied manifest. `structured-merge`: ServerSideApply=true. `server-side`: ServerSideDiff=true. */
export type DiffMethod = 'client-side' | 'structured-merge' | 'server-side';
export type SyncMethod = 'client-side' | 'server-side';

export interface InCluster {
  /** Path of a kubeconfig. */
  readonly kubeconfig: string;
  /** Name of the Argo CD Application that the objects belong to. */
  readonly application: string;
}

/** One entry of `healthCheckExprs` of Flux. */
export interface HealthExpressions {
  readonly current: string;
  readonly failed?: string;
  readonly inProgress?: string;
}

/** Each function starts one process for all its objects. Rejects with the error of the validator. */
export interface Validators {
  readonly health: (objects: readonly KubeObject[], settings: ArgoSettings) => Promise<Health[]>;
  /** Resolves with the actions that Argo CD offers for the object. */
  readonly actions: (object: KubeObject, settings: ArgoSettings) => Promise<Action[]>;
  /** `parameters`: what the user enters. */
  readonly action: (
    object: KubeObject,
    name: string,
    settings: ArgoSettings,
    parameters?: Readonly<Record<string, string>>,
  ) => Promise<ActionOutcome>;
  readonly statuses: (objects: readonly KubeObject[]) => Promise<KStatus[]>;
  readonly expressions: (objects: readonly KubeObject[], expressions: HealthExpressions) => Promise<KStatus[]>;
  /** Resolves with true if Argo CD's RBAC, with `policy` in `argocd-rbac-cm`, allows `subject` an action such as `action/group/Kind/name`. */
  readonly allowed: (
    application: KubeObject,
    question: { readonly policy: string; readonly subject: string; readonly action: string },
  ) => Promise<boolean>;
  /** Resolves with true if a user confirmed the deletion or the prune of the Application that began at `since`. */
  readonly confirmed: (application: KubeObject, since: Date) => Promise<boolean>;
  /** Applies the objects as Argo CD's controller does. */
  readonly sync: (objects: readonly KubeObject[], method: SyncMethod, where: InCluster) => Promise<void>;
  /** Compares the desired objects with the live ones as Argo CD's controller does. */
  readonly diff: (objects: readonly KubeObject[], method: DiffMethod, where: InCluster) => Promise<Difference[]>;
  /** Rejects if an object of a kind of Argo CD or Flux has a field that its Go type lacks. */
  readonly decode: (objects: readonly KubeObject[]) => Promise<void>;
}

/** Resolves with undefined if `npm test` found no Go to build the validators. `npm test` reports this itself. */
export async function validatorsIfAvailable(options: EnsureOptions): Promise<Validators | undefined> {
  return process.env[withoutValidatorsVariable] === 'true' ? undefined : ensureValidators(options);
}

/** Builds the validators if they are not in the cache: see `ensureProgram`. */
export async function ensureValidators(options: EnsureOptions): Promise<Validators> {
  const path = await ensureProgram(objectValidators, options);

  async function all<T>(requests: readonly object[], Answer: z.ZodType<T>): Promise<T[]> {
    const results = z
      .array(Result)
      .length(requests.length)
      .parse(await ask(path, requests));
    return results.map((result, index) => {
      if (result.error !== undefined) throw new Error(`validator ${JSON.stringify(requests[index])}: ${result.error}`);
      return Answer.parse(result.answer);
    });
  }

  async function one<T>(request: object, Answer: z.ZodType<T>): Promise<T> {
    const [answer] = await all([request], Answer);
    if (answer === undefined) throw new Error('the validators returned no answer');
    return answer;
  }

  return {
    health: (objects, configMap) =>
      all(
        objects.map((object) => ({ validator: 'health', object, configMap })),
        Health,
      ),
    actions: (object, configMap) => one({ validator: 'actions', object, configMap }, z.array(Action)),
    action: (object, action, configMap, parameters = {}) =>
      one({ validator: 'action', object, action, configMap, parameters }, ActionOutcome),
    statuses: (objects) =>
      all(
        objects.map((object) => ({ validator: 'status', object })),
        KStatus,
      ),
    expressions: (objects, expressions) =>
      all(
        objects.map((object) => ({ validator: 'expressions', object, expressions })),
        KStatus,
      ),
    allowed: (object, question) => one({ validator: 'allowed', object, ...question }, z.boolean()),
    confirmed: (object, since) => one({ validator: 'confirmed', object, since: since.toISOString() }, z.boolean()),
    sync: async (objects, method, where) => {
      await all(
        objects.map((object) => ({ validator: 'sync', object, method, ...where })),
        z.unknown(),
      );
    },
    diff: (objects, method, where) =>
      all(
        objects.map((object) => ({ validator: 'diff', object, method, ...where })),
        Difference,
      ),
    decode: async (objects) => {
      await all(
        objects.map((object) => ({ validator: 'decode', object })),
        z.unknown(),
      );
    },
  };
}

const Result = z.object({ answer: z.unknown().optional(), error: z.string().optional() });

async function ask(path: string, requests: readonly object[]): Promise<unknown> {
  const child = spawn(path, { stdio: ['pipe', 'pipe', 'pipe'] });
  const closed = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  child.stdin.end(JSON.stringify(requests));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  if (code !== 0) throw new Error(`the validators ended with ${String(code)}: ${stderr.trim()}`);
  return JSON.parse(stdout);
}

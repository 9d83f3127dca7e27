import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';

const pollMs = 100;

/** A client certificate with the server's certificate authority, or the path of a Unix socket. */
export type Connection = { url: string; ca: string; cert: string; key: string } | { url: string; socketPath: string };

export interface WaitOptions {
  /** Rejects if waiting is pointless, for example because the server exited. */
  check: () => Promise<void>;
  /** On the clock of `performance.now()`. */
  deadlineMs: number;
  signal?: AbortSignal | undefined;
}

interface Answer {
  status: number;
  body: string;
}

type Send = (method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) => Promise<Answer>;

/** Resolves when `path` answers 200. Rejects at the deadline. */
export async function waitForPath(connection: Connection, path: string, options: WaitOptions): Promise<void> {
  await withConnection(connection, options, async (send) => {
    await until(`${path} answers 200`, options, async () => expectStatus(await send('GET', path), 200));
  });
}

/**
 * Resolves when custom resources work from end to end, which `/readyz` does not guarantee: a definition with a CEL rule is established, a
 * valid resource is stored, and an invalid one is rejected with the rule's message. Removes the definition and the resource again.
 */
export async function waitForCustomResources(connection: Connection, options: WaitOptions): Promise<void> {
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const resources = `/apis/${group}/v1/probes`;
  const rejection = 'small must be less than large';
  await withConnection(connection, options, async (send) => {
    await until('a custom resource definition is stored', options, async () =>
      expectStatus(await send('POST', definitions, probeDefinition(rejection)), 201, 409),
    );
    await until('a custom resource is stored', options, async () =>
      expectStatus(await send('POST', resources, probe('good', 1, 2)), 201, 409),
    );
    await until('a custom resource that breaks a CEL rule is rejected', options, async () => {
      const answer = await send('POST', resources, probe('bad', 2, 1));
      expectStatus(answer, 422);
      if (!answer.body.includes(rejection)) throw new Error(`rejected for another reason: ${answer.body}`);
    });
    await send('DELETE', `${definitions}/probes.${group}`);
    await until('the definition is deleted', options, async () =>
      expectStatus(await send('GET', `${definitions}/probes.${group}`), 404),
    );
  });
}

const group = 'probe.sandbox.konnect-audit-log.io';

function probe(name: string, small: number, large: number): object {
  return { apiVersion: `${group}/v1`, kind: 'Probe', metadata: { name }, spec: { small, large } };
}

function probeDefinition(message: string): object {
  const integer = { type: 'integer' };
  const spec = {
    type: 'object',
    required: ['small', 'large'],
    properties: { small: integer, large: integer },
    'x-kubernetes-validations': [{ rule: 'self.small < self.large', message }],
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `probes.${group}` },
    spec: {
      group,
      scope: 'Cluster',
      names: { plural: 'probes', singular: 'probe', kind: 'Probe', listKind: 'ProbeList' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec } } },
        },
      ],
    },
  };
}

async function withConnection(
  connection: Connection,
  { signal }: WaitOptions,
  use: (send: Send) => Promise<void>,
): Promise<void> {
  const { url, ...connect } = connection;
  const agent = new Agent({ connect, headersTimeout: 10_000, bodyTimeout: 10_000 });
  try {
    await use(async (method, path, body) => {
      const response = await request(`${url}${path}`, {
        dispatcher: agent,
        method,
        signal: signal ?? null,
        headers: { accept: 'application/json', 'content-type': 'application/json' },
        body: body === undefined ? null : JSON.stringify(body),
      });
      return { status: response.statusCode, body: await response.body.text() };
    });
  } finally {
    await agent.destroy();
  }
}

async function until(what: string, options: WaitOptions, attempt: () => Promise<void>): Promise<void> {
  const { check, deadlineMs, signal } = options;
  for (;;) {
    await check();
    try {
      await attempt();
      return;
    } catch (error) {
      signal?.throwIfAborted();
      if (performance.now() > deadlineMs) {
        throw new Error(`the control plane is not ready: timed out waiting until ${what}`, { cause: error });
      }
    }
    await delay(pollMs, undefined, { signal });
  }
}

function expectStatus(answer: Answer, ...expected: readonly number[]): void {
  if (!expected.includes(answer.status)) throw new Error(`answered ${answer.status}: ${answer.body.slice(0, 500)}`);
}

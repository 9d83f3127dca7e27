/** What every page needs: a Kubernetes API server, the built operator, a local Konnect, and folders of the real receivers. */
import { deepEqual, ok } from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import * as z from 'zod';
import type { Authority } from '../../sandbox/certificates.ts';
import { Supervised } from '../../sandbox/control-plane/supervised.ts';
import { createPoster, type GzipSpelling } from '../../sandbox/konnect/delivery/post.ts';
import { operatorFile, startOperator } from '../../sandbox/operator-process.ts';
import {
  namespace,
  type SandboxWithoutOperator,
  sandboxData,
  startSandboxWithoutOperator,
} from '../../sandbox/sandbox.ts';
import { reconcileAnnotation } from '../../src/api/v1alpha1.ts';
import type { Reporter } from '../interop/reporter.ts';
import { eventually } from '../support/eventually.ts';
import { ensureDebianTool, ensureGoTool, telegraf, victoriaLogs } from './programs.ts';
import { userAgents } from './sample-lines.ts';

const run = promisify(execFile);

export interface Setting {
  readonly sandbox: SandboxWithoutOperator;
  readonly reporter: Reporter;
  /** Holds `tls.crt`, `tls.key` for 127.0.0.1 and localhost, and `ca.crt`. */
  readonly folder: string;
  /** Runs commands of a page. `curl` trusts the receivers, and `auditlog` is the built one. Resolves with standard output. */
  readonly bash: (script: string) => Promise<string>;
  /** Starts a command of a page that does not end. Resolves with a function that ends it. */
  readonly start: (name: string, script: string, port: number) => Promise<() => Promise<unknown>>;
  /** Applies the manifests of a page with the sandbox's token, and waits until the forwarding is ready. */
  readonly apply: (manifests: string, name: string) => Promise<void>;
  /** Logs developers in, with all {@link userAgents}, and waits until Konnect's delivery had this answer. */
  readonly deliver: (name: string, code: number) => Promise<void>;
  readonly remove: (name: string) => Promise<void>;
  /** Posts lines as Konnect does. Resolves with the status. */
  readonly post: (
    lines: readonly string[],
    target: { readonly endpoint: string; readonly authorization: string },
    contentEncoding?: GzipSpelling,
  ) => Promise<number | undefined>;
  stop(): Promise<void>;
}

export async function createSetting(reporter: Reporter, progress: (line: string) => void): Promise<Setting> {
  const tools = [
    await ensureGoTool(victoriaLogs, progress),
    await ensureGoTool(telegraf, progress),
    await ensureDebianTool('nginx', ['nginx'], progress),
  ];
  await import('../../scripts/build.ts');
  const sandbox = await startSandboxWithoutOperator(progress);
  const { konnect, authority } = sandbox.services;
  const operator = await startOperator({ kubeconfig: sandbox.kubeconfig, konnectURL: konnect.urlTemplate });
  const supervised = await Supervised.create();
  const folder = await mkdtemp(join(tmpdir(), 'siem-'));
  await writeFiles(folder, authority, konnect.urlTemplate);
  const env = {
    HOME: folder,
    PATH: [folder, ...tools, dirname(sandbox.controlPlane.kubectlPath), process.env['PATH']].join(delimiter),
    KUBECONFIG: sandbox.controlPlane.adminKubeconfig,
    CURL_CA_BUNDLE: join(folder, 'ca.crt'),
    SSL_CERT_FILE: join(folder, 'ca.crt'),
  };

  async function bash(script: string): Promise<string> {
    const bashed = run('bash', ['-c', `set -euo pipefail\n${script}`], { cwd: folder, env });
    return (await bashed.catch((error: unknown) => Promise.reject(new Error(outputOf(error))))).stdout;
  }

  async function start(name: string, script: string, port: number): Promise<() => Promise<unknown>> {
    const variables = Object.entries(env).map(([key, value]) => `${key}=${value}`);
    await supervised.start(name, 'env', [...variables, 'bash', '-c', `cd ${folder} && exec ${script}`]);
    await eventually(async () => {
      await supervised.check(name);
      await run('bash', ['-c', `exec 3<>/dev/tcp/127.0.0.1/${String(port)}`]);
    });
    return () => supervised.stop(name, 10_000);
  }

  async function apply(manifests: string, name: string): Promise<void> {
    const secret = `apiVersion: v1\nkind: Secret\nmetadata: {name: konnect, namespace: ${namespace}}\nstringData: {token: ${sandboxData.token}}`;
    await writeFile(join(folder, 'manifests.yaml'), `${secret}\n---\n${manifests}`);
    await bash(
      `kubectl apply -f manifests.yaml\nkubectl wait alf/${name} -n ${namespace} --for=condition=Ready --timeout=60s`,
    );
  }

  async function deliver(name: string, code: number): Promise<void> {
    const { email, password } = sandboxData.developer;
    const url = `${konnect.url}/us/__portals/${sandboxData.portals.developers}/api/v2/developer/authenticate`;
    for (const userAgent of userAgents) {
      const { ok: isIn } = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'user-agent': userAgent },
        body: JSON.stringify({ username: email, password }),
      });
      ok(isIn, 'the login was refused');
    }
    await eventually(
      async () => {
        const asked = String(performance.now());
        const annotation = `${reconcileAnnotation}=${asked}`;
        await bash(`kubectl annotate alf ${name} -n ${namespace} --overwrite ${annotation}`);
        const codes = await bash(
          `kubectl get alf ${name} -n ${namespace} -o jsonpath='{.status.delivery[*].lastResponseCode}'`,
        );
        deepEqual(new Set(codes.split(' ')), new Set([String(code)]));
      },
      { everyMs: 1_000 },
    );
  }

  async function post(
    lines: readonly string[],
    target: { readonly endpoint: string; readonly authorization: string },
    contentEncoding: GzipSpelling = 'gzip',
  ): Promise<number | undefined> {
    const poster = createPoster({ authority: authority.certificate, contentEncoding, timeoutMs: 10_000 });
    try {
      const settings = { logFormat: 'cef', skipSSLVerification: false } as const;
      return (await poster.post(lines, { ...target, ...settings }, AbortSignal.timeout(10_000))).code;
    } finally {
      await poster.close();
    }
  }

  return {
    sandbox,
    reporter,
    folder,
    bash,
    start,
    apply,
    deliver,
    post,
    remove: async (name) => {
      await bash(`kubectl delete alf ${name} -n ${namespace} --timeout=60s`);
    },
    async stop() {
      await supervised.end();
      await operator.stop();
      await sandbox.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Returns everything that a failed command wrote. */
function outputOf(error: unknown): string {
  const { message, stdout } = z.object({ message: z.string(), stdout: z.string() }).parse(error);
  return `${message}\n${stdout}`;
}

async function writeFiles(folder: string, authority: Authority, konnectURL: string): Promise<void> {
  const { certificate, key } = await authority.issue({
    commonName: 'receiver',
    hosts: ['127.0.0.1', 'localhost'],
    usage: 'server',
  });
  await writeFile(join(folder, 'tls.crt'), certificate);
  await writeFile(join(folder, 'tls.key'), key, { mode: 0o600 });
  await writeFile(join(folder, 'ca.crt'), authority.certificate);
  const command = [process.execPath, operatorFile, 'auditlog', '"$@"', `--konnect-url=${konnectURL}`];
  await writeFile(join(folder, 'auditlog'), `#!/bin/sh\nexec ${command.join(' ')}\n`, { mode: 0o755 });
  await mkdir(join(folder, 'nginx'));
}

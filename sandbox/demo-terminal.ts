/** Where the demo happens: prints text, runs real commands and checks their effects. */
import { execFile, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import type { ControlPlane } from './control-plane/control-plane.ts';
import { operatorFile } from './operator-process.ts';

export interface DemoTerminal {
  heading(text: string): void;
  print(text: string): void;
  /** Prints the command, runs it and prints its output. Resolves with its stdout. Rejects if it fails. */
  kubectl(...args: string[]): Promise<string>;
  /** Does the same with `auditlog`, and rejects if its exit code is not `code`. Resolves with what it printed. */
  auditlog(args: readonly string[], code?: number): Promise<string>;
  /** Prints the command and its output until `isDone` resolves with true. `what` describes that state. Rejects after 20 seconds. */
  watch(args: readonly string[], what: string, isDone: () => Promise<boolean>): Promise<void>;
  /** Resolves with the first value of `attempt` that is not undefined, and prints `what`. Rejects after `timeoutMs`, 20 seconds by default. */
  check<T>(what: string, attempt: () => T | undefined | Promise<T | undefined>, timeoutMs?: number): Promise<T>;
}

export function createDemoTerminal(
  { kubectl, kubectlPath, adminKubeconfig }: Pick<ControlPlane, 'kubectl' | 'kubectlPath' | 'adminKubeconfig'>,
  write: (text: string) => void,
): DemoTerminal {
  function printCommand(command: 'kubectl' | 'auditlog', args: readonly string[]): void {
    const quoted = args.map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg}'`));
    write(`\n$ ${command} ${quoted.join(' ')}\n`);
  }

  async function check<T>(
    what: string,
    attempt: () => T | undefined | Promise<T | undefined>,
    timeoutMs = 20_000,
  ): Promise<T> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const found = await attempt();
      if (found !== undefined) {
        write(`  ✓ ${what}\n`);
        return found;
      }
      if (performance.now() > deadline) throw new Error(`not true after ${String(timeoutMs / 1000)} s: ${what}`);
      await delay(100);
    }
  }

  return {
    heading: (text) => write(`\n\n— ${text}\n`),
    print: (text) => write(`\n${text}\n`),
    check,

    async kubectl(...args) {
      printCommand('kubectl', args);
      const { stdout, stderr, code } = await kubectl(args);
      write(stdout + stderr);
      if (code !== 0) throw new Error(`kubectl ended with code ${String(code)}`);
      return stdout;
    },

    async auditlog(args, code = 0) {
      printCommand('auditlog', args);
      const env = { ...process.env, KUBECONFIG: adminKubeconfig };
      const ended = await new Promise<{ output: string; code: unknown }>((resolve) => {
        execFile(process.execPath, [operatorFile, 'auditlog', ...args], { env }, (error, stdout, stderr) => {
          resolve({ output: stdout + stderr, code: error === null ? 0 : error.code });
        });
      });
      write(ended.output);
      if (ended.code !== code) throw new Error(`auditlog ended with code ${String(ended.code)}`);
      return ended.output;
    },

    async watch(args, what, isDone) {
      printCommand('kubectl', args);
      const child = spawn(kubectlPath, args, {
        env: { ...process.env, KUBECONFIG: adminKubeconfig },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      child.stdout.on('data', (chunk: Buffer) => write(chunk.toString()));
      try {
        await check(what, async () => ((await isDone()) ? true : undefined));
      } finally {
        // Leaves the watch the time to print the last change.
        await delay(300);
        child.kill();
      }
    },
  };
}

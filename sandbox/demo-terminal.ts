/** Tells a story: prints what it is about to do, does it with real commands, and checks that what it says is so. */
import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import type { ControlPlane } from './control-plane/control-plane.ts';

export interface Narrator {
  chapter(title: string): void;
  say(text: string): void;
  /** Prints the command, runs it, prints what it printed. Rejects where it fails. */
  kubectl(...args: string[]): Promise<string>;
  /** Prints the command and what it prints, until `seen` holds, which is `what`. */
  watch(args: readonly string[], what: string, seen: () => Promise<boolean>): Promise<void>;
  /** Tries until `attempt` answers something; says so. Rejects with what was missing after `timeoutMs`. */
  see<T>(what: string, attempt: () => T | undefined | Promise<T | undefined>, timeoutMs?: number): Promise<T>;
}

export function createNarrator(
  { kubectl, kubectlPath, adminKubeconfig }: Pick<ControlPlane, 'kubectl' | 'kubectlPath' | 'adminKubeconfig'>,
  write: (text: string) => void,
): Narrator {
  function show(args: readonly string[]): void {
    const quoted = args.map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg}'`));
    write(`\n$ kubectl ${quoted.join(' ')}\n`);
  }

  async function see<T>(
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
      if (performance.now() > deadline) throw new Error(`not seen within ${String(timeoutMs / 1000)} s: ${what}`);
      await delay(100);
    }
  }

  return {
    chapter: (title) => write(`\n\n— ${title}\n`),
    say: (text) => write(`\n${text}\n`),
    see,

    async kubectl(...args) {
      show(args);
      const { stdout, stderr, code } = await kubectl(args);
      write(stdout + stderr);
      if (code !== 0) throw new Error(`kubectl ended with code ${String(code)}`);
      return stdout;
    },

    async watch(args, what, seen) {
      show(args);
      const child = spawn(kubectlPath, args, {
        env: { ...process.env, KUBECONFIG: adminKubeconfig },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      child.stdout.on('data', (chunk: Buffer) => write(chunk.toString()));
      try {
        await see(what, async () => ((await seen()) ? true : undefined));
      } finally {
        // What the watch is about to print comes first.
        await delay(300);
        child.kill();
      }
    },
  };
}

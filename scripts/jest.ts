import { spawnSync } from 'node:child_process';

/** Runs jest with these arguments and additional environment variables. Returns its exit code. */
export function runJest(args: readonly string[], env: Readonly<Record<string, string>> = {}): number {
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const { status } = spawnSync(process.execPath, [...flags, 'node_modules/jest/bin/jest.js', ...args], {
    env: { ...process.env, ...env },
    stdio: 'inherit',
  });
  return status ?? 1;
}

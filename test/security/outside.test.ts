/** The connections and programs that the operator can start, and its packages. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import manifest from '../../package.json' with { type: 'json' };

const root = join(import.meta.dirname, '../..');
const sources = new Map(
  globSync('src/**/*.ts', { cwd: root }).map((file) => [file, readFileSync(join(root, file), 'utf8')]),
);

function filesWith(pattern: RegExp): string[] {
  return [...sources].flatMap(([file, source]) => (pattern.test(source) ? [file] : [])).toSorted();
}

describe('the operator', () => {
  test('has the sources that these tests read', () => {
    expect(sources.size).toBeGreaterThan(50);
  });

  test('starts no other program and runs no code from outside', () => {
    expect(
      filesWith(/'node:(child_process|cluster|worker_threads|vm|repl|inspector)'|\beval\(|new Function\(/),
    ).toEqual([]);
  });

  test('opens connections only in the known files', () => {
    expect(filesWith(/\bfetch\(|\bWebSocket\b|'node:(dgram|http2|dns)[^']*'|\bconnect\(|\brequest\(/)).toEqual([]);
    const sockets = filesWith(/from 'node:(net|tls|http|https)'/);
    expect(sockets).toEqual([
      'src/http/http-connections.ts',
      'src/http/proxy.ts',
      'src/http/when-connected.ts',
      'src/kube/kube-client.ts',
      'src/kube/kube-config.ts',
      'src/kube/send-request.ts',
      // Sets how long one address may take to accept a connection.
      'src/operator/process.ts',
      'src/telemetry/certificate.ts',
      'src/telemetry/server.ts',
    ]);
  });
});

describe('the packages', () => {
  test('of the operator are few, with exact versions', () => {
    expect(Object.keys(manifest.dependencies).length).toBeLessThan(10);
    for (const version of Object.values(manifest.dependencies)) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  test('of the image are locked by a hash', () => {
    const Package = z.object({
      integrity: z.string().optional(),
      dev: z.boolean().optional(),
      optional: z.boolean().optional(),
      hasInstallScript: z.boolean().optional(),
    });
    const lock = z
      .object({ packages: z.record(z.string(), Package) })
      .parse(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')));
    const shipped = Object.entries(lock.packages).filter(
      ([path, { dev, optional }]) => path !== '' && dev !== true && optional !== true,
    );
    expect(shipped.length).toBeGreaterThan(20);
    expect(shipped.filter(([, { integrity = '' }]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity))).toEqual([]);
    expect(shipped.filter(([, { hasInstallScript }]) => hasInstallScript === true)).toEqual([]);
  });
});

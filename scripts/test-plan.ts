/** Decides which tests this machine can run. */
import { type Machine, onlyBuiltWithGo, thisMachine } from '../sandbox/control-plane/binaries.ts';
import { findGo, minimalGo } from '../sandbox/control-plane/go-build.ts';
import { missingTools } from '../test/support/tools.ts';
import { areProgramsCached, withoutValidatorsVariable } from '../test/validators/build.ts';
import { controlPlaneFolders } from './control-plane-folders.ts';

export const projects = ['unit', 'simulation', 'integration'] as const;
export type Project = (typeof projects)[number];

export interface TestPlan {
  /** Whether the tests use the control plane, and the validators. */
  readonly controlPlane: boolean;
  readonly validators: boolean;
  /** For jest, besides those of the user. */
  readonly jestArguments: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What is not run, why, and how to run it: one line each. Empty if all tests run. */
  readonly leftOut: readonly string[];
}

/**
 * Resolves with the tests of one project, or of all, without those that need executables which only Go can build, if Go is missing, and without
 * those that need the tools of the documents, if one is missing. Rejects in CI instead, where every test must run.
 */
export async function planTests(project: Project | undefined, machine: Machine = thisMachine()): Promise<TestPlan> {
  const wantsControlPlane = project === undefined || project === 'integration';
  const wantsValidators = project !== 'simulation';
  const go = await findGo(machine.env);
  const isMissing = go.kind === 'unusable';
  const names = isMissing && wantsControlPlane ? await onlyBuiltWithGo({ controllerManager: true }, machine) : [];
  const controlPlane = wantsControlPlane && names.length === 0;
  const validators = wantsValidators && !(isMissing && !(await areProgramsCached(machine)));

  const leftOut: string[] = [];
  const ignored: string[] = [];
  if (wantsValidators && !validators) {
    leftOut.push(
      "not run: test/validators/, which runs the code of Argo CD, Flux, kstatus, actionlint, promtool, krew and OLM, and kstatus' check of statuses in test/e2e/",
    );
    ignored.push('validators/');
  }
  if (wantsControlPlane && !controlPlane) {
    leftOut.push(`not run: test/integration/ and test/e2e/, which need ${names.join(', ')}`);
    ignored.push(...controlPlaneFolders.map((folder) => `${folder}/`));
  }
  if (isMissing && leftOut.length > 0)
    leftOut.push(`the reason: ${go.reason}; to run all tests, install Go ${minimalGo} or newer (https://go.dev/dl/)`);
  const tools = controlPlane ? missingTools(machine.env).join(' and ') : '';
  if (tools !== '') {
    leftOut.push(
      `not run: test/e2e/sandbox-guide.test.ts, and in test/e2e/documents.test.ts the commands that use ${tools}; to run them, install ${tools}`,
    );
    ignored.push('e2e/sandbox-guide.test.ts');
  }
  if (leftOut.length > 0 && isCI(machine.env)) throw new Error(['in CI, every test must run:', ...leftOut].join('\n'));
  return {
    controlPlane,
    validators,
    jestArguments: ignored.map((path) => `--testPathIgnorePatterns=<rootDir>/test/${path}`),
    env: wantsValidators && !validators ? { [withoutValidatorsVariable]: 'true' } : {},
    leftOut,
  };
}

function isCI(env: Machine['env']): boolean {
  return !['', '0', 'false'].includes(env['CI'] ?? '');
}

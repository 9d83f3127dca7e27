/** `npm run test:watch [JEST ARGUMENTS]`: reruns the unit tests that a saved file affects. Does not build anything first. */
import { runJest } from './jest.ts';
import { planTests } from './test-plan.ts';

const plan = await planTests('unit');
for (const line of plan.leftOut) process.stderr.write(`==> ${line}\n`);
const jestArguments = ['--watch', '--selectProjects', 'unit', ...process.argv.slice(2), ...plan.jestArguments];
process.exitCode = runJest(jestArguments, plan.env);

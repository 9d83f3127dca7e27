/** `npm run test:browser [JEST ARGUMENTS]`: checks the report of `auditlog report` in a headless Chromium. */
import { spawnSync } from 'node:child_process';
import { findChromium } from '../test/browser/chromium.ts';

if (findChromium() === undefined) {
  process.stderr.write(
    'the browser tests need Chromium: apt-get install chromium, or name it in the variable CHROMIUM\n',
  );
  process.exit(1);
}
const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
const jest = ['node_modules/jest/bin/jest.js', '--config=test/browser/jest.config.mjs'];
const { status } = spawnSync(process.execPath, [...flags, ...jest, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exitCode = status ?? 1;

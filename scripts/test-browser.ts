/** `npm run test:browser [JEST ARGUMENTS]`: checks the report of `auditlog report` in a headless Chromium. */
import { findChromium } from '../test/browser/chromium.ts';
import { runJest } from './jest.ts';

if (findChromium() === undefined) {
  process.stderr.write(
    'the browser tests need Chromium: apt-get install chromium, or name it in the variable CHROMIUM\n',
  );
  process.exit(1);
}
process.exitCode = runJest(['--config=test/browser/jest.config.mjs', ...process.argv.slice(2)]);

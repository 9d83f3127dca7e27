/** Bundles the operator into `dist/operator.js`, which runs on Node 22.19 or newer without dependencies. */
import { chmod } from 'node:fs/promises';
import { build } from 'esbuild';
import manifest from '../package.json' with { type: 'json' };

const outfile = 'dist/operator.js';

await build({
  entryPoints: ['src/main.ts'],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node22.19',
  format: 'esm',
  minifySyntax: true,
  legalComments: 'linked',
  logLevel: 'warning',
  define: { 'process.env.OPERATOR_VERSION': JSON.stringify(manifest.version) },
  banner: {
    js: "#!/usr/bin/env node\nimport { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
  },
});
// A link to the file is the command `auditlog`.
await chmod(outfile, 0o755);

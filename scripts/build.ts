/** Bundles the operator into `dist/operator.js`, which runs on Node 22.19 or newer without dependencies. */
import { build } from 'esbuild';
import manifest from '../package.json' with { type: 'json' };

await build({
  entryPoints: ['src/main.ts'],
  outfile: 'dist/operator.js',
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

/** Bundles the operator into `dist/operator.js`, which runs on Node 22.19 or newer without dependencies. */
import { chmod } from 'node:fs/promises';
import { build, type Plugin } from 'esbuild';
import manifest from '../package.json' with { type: 'json' };

const outfile = 'dist/operator.js';

/**
 * Leaves out the generated models and clients of client-node: a megabyte of text and 11 MiB of memory. The operator uses only its kubeconfig, which
 * needs two names of them. If a new version needs more, the build fails.
 */
const withoutModels: Plugin = {
  name: 'without-models',
  setup(one) {
    one.onLoad({ filter: /@kubernetes\/client-node\/dist\/gen\/index\.js$/ }, () => ({
      contents: `export { createConfiguration } from './configuration.js'; export { ServerConfiguration } from './servers.js';`,
    }));
  },
};

await build({
  entryPoints: ['src/main.ts'],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node22.19',
  format: 'esm',
  minifySyntax: true,
  // Names stay, so that a stack says in which functions an error arose.
  minifyWhitespace: true,
  legalComments: 'linked',
  logLevel: 'warning',
  plugins: [withoutModels],
  define: { 'process.env.OPERATOR_VERSION': JSON.stringify(manifest.version) },
  banner: {
    js: "#!/usr/bin/env node\nimport { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
  },
});
// A link to the file is the command `auditlog`.
await chmod(outfile, 0o755);

/**
 * Bundles the operator into `dist/operator.js`, which runs on Node 22.19 or newer without dependencies. Writes the folders of the packages in it into
 * `dist/operator.js.packages.json`.
 */
import { chmod, writeFile } from 'node:fs/promises';
import { build, type Plugin } from 'esbuild';
import manifest from '../package.json' with { type: 'json' };

const outfile = 'dist/operator.js';

/**
 * Leaves out what client-node imports and the operator never calls: the generated models and clients, and undici, to which client-node gives a
 * connection only if `PooledKubeConfig` does not. These are two megabytes of text and more than 30 MiB of memory. If a new version of client-node
 * imports another name of them, the build fails. Also leaves out supports-color, which `debug` uses where it is installed: only tests install it.
 */
const withoutUnused: Plugin = {
  name: 'without-unused',
  setup(one) {
    const unused = (...names: string[]) => ({
      contents: names.map((name) => `export const ${name} = undefined;`).join('\n'),
    });
    one.onLoad({ filter: /@kubernetes\/client-node\/dist\/gen\/index\.js$/ }, () =>
      unused('createConfiguration', 'ServerConfiguration'),
    );
    one.onResolve({ filter: /^(?:undici|supports-color)$/ }, ({ path }) => ({ path, namespace: 'unused' }));
    one.onLoad({ filter: /^undici$/, namespace: 'unused' }, () => unused('Agent', 'ProxyAgent', 'fetch'));
    one.onLoad({ filter: /^supports-color$/, namespace: 'unused' }, () => unused());
  },
};

const { metafile } = await build({
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
  metafile: true,
  logLevel: 'warning',
  plugins: [withoutUnused],
  // The same bytes with and without a tsconfig.json, which the image does not have.
  tsconfigRaw: {},
  define: { 'process.env.OPERATOR_VERSION': JSON.stringify(manifest.version) },
  banner: {
    js: "#!/usr/bin/env node\nimport { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
  },
});
// A link to the file is the command `auditlog`.
await chmod(outfile, 0o755);

// Without the packages of which nothing was kept.
const inputs = Object.entries(metafile.outputs[outfile]?.inputs ?? {}).filter(
  ([, { bytesInOutput }]) => bytesInOutput > 0,
);
const packages = new Set(inputs.flatMap(([path]) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []));
await writeFile(`${outfile}.packages.json`, `${JSON.stringify([...packages].toSorted(), null, 2)}\n`);

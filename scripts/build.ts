/**
 * Bundles the operator into `dist/operator.js`, which runs on Node 22.19 or newer without dependencies. Writes the folders of the packages in it into
 * `dist/operator.js.packages.json`.
 */
import { chmod, writeFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { build, type Plugin } from 'esbuild';
import manifest from '../package.json' with { type: 'json' };

const outfile = 'dist/operator.js';

/** What the operator imports indirectly and never calls, and what stands for it in the bundle. A package that begins to need another export fails the build. */
const unused: readonly (readonly [path: RegExp, contents: string])[] = [
  // The generated models and clients: two megabytes of text and more than 30 MiB of memory.
  [/^\.\/gen\/index\.js$/, 'export const createConfiguration = undefined, ServerConfiguration = undefined;'],
  // client-node gives undici a connection only if `PooledKubeConfig` does not.
  [/^undici$/, 'export const Agent = undefined, ProxyAgent = undefined, fetch = undefined;'],
  // `debug` uses it where it is installed: only tests install it.
  [/^supports-color$/, ''],
  // got imports these for options that the operator does not set: HTTP/2, and caches of answers and of names.
  [/^node:http2$/, 'export const constants = undefined; export class Http2ServerResponse {}'],
  [/\/http2-client\.js$/, 'export default {};'],
  [/\/dns-cache\.js$/, 'export default undefined;'],
  [/^cacheable-request$/, 'export default undefined; export class CacheError extends Error {}'],
  // pino writes from another thread only if it is told to.
  [/^thread-stream$/, 'export default undefined;'],
  // prom-client asks it for the span of an exemplar.
  [/^@opentelemetry\/api$/, ''],
];

const withoutUnused: Plugin = {
  name: 'without-unused',
  setup(one) {
    for (const [index, [filter, contents]] of unused.entries()) {
      const namespace = `unused-${String(index)}`;
      one.onResolve({ filter }, ({ path }) => ({ path, namespace }));
      one.onLoad({ filter: /.*/, namespace }, () => ({ contents }));
    }
  },
};

/**
 * Loads the modules of Node with `require`. An `import` reads every property of such a module, also those that load another part of Node when they are
 * read: `WebSocket` of `node:http` loads Node's own undici.
 */
const requiredBuiltins: Plugin = {
  name: 'required-builtins',
  setup(one) {
    const filter = new RegExp(`^(?:node:)?(?:${builtinModules.join('|')})$`);
    one.onResolve({ filter }, ({ path, kind }) =>
      kind === 'require-call' ? { path, external: true } : { path, namespace: 'builtin' },
    );
    one.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = require('${path}')`,
    }));
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
  plugins: [withoutUnused, requiredBuiltins],
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

/** `npm run krew -- --url URL`: writes the archive of the kubectl plugin and its krew manifest into `dist/`. */
import { parseArgs } from 'node:util';
import packageManifest from '../package.json' with { type: 'json' };
import { archiveName, manifestName, writeKrewPlugin } from './krew-plugin.ts';

const { values } = parseArgs({ options: { url: { type: 'string' } } });
const { version } = packageManifest;
writeKrewPlugin({ folder: 'dist', version, url: values.url ?? `https://example.com/releases/v${version}` });
process.stdout.write(`dist/${manifestName}\ndist/${archiveName}\n`);

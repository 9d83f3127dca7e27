/** `npm run krew -- --url URL`: writes the archive of the kubectl plugin and its krew manifest into `dist/`. */
import { parseArgs } from 'node:util';
import packageManifest from '../package.json' with { type: 'json' };
import { archiveName, manifestName, writeKrewPlugin } from './krew-plugin.ts';

const { values } = parseArgs({ options: { url: { type: 'string' } } });
const { version } = packageManifest;
if (values.url === undefined) {
  process.stderr.write(
    'the manifest names the address of the archive: npm run krew -- --url URL, the folder from which krew downloads it\n',
  );
  process.exit(1);
}
writeKrewPlugin({ folder: 'dist', version, url: values.url, time: new Date() });
process.stdout.write(`dist/${manifestName}\ndist/${archiveName}\n`);

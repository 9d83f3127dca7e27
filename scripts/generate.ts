/** `npm run generate`: writes what is generated from the sources. */
import { writeFileSync } from 'node:fs';
import { crdFile, renderCRD } from './crd.ts';

writeFileSync(crdFile, renderCRD());
process.stdout.write(`wrote ${crdFile}\n`);

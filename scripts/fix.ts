/** `npm run fix [-- FILES]`: corrects lint, import order and format, in these files or in all. Fails if errors remain that need a person. */
import { fix } from './fixers.ts';

process.exitCode = fix(process.argv.slice(2));

/** The program: the operator, or the command `auditlog`. Each is loaded only when it runs. */
import { basename } from 'node:path';

const [, file = '', ...argv] = process.argv;
/** The names under which a link to this file is the command. kubectl finds its plugins by their names. */
const isLink = ['auditlog', 'kubectl-auditlog'].includes(basename(file));

if (isLink || argv[0] === 'auditlog') {
  const { auditlogProcess } = await import('./auditlog/process.ts');
  process.exitCode = await auditlogProcess(isLink ? argv : argv.slice(1), process.env);
} else {
  const { operatorProcess } = await import('./operator/process.ts');
  process.exitCode = await operatorProcess(argv, process.env);
}

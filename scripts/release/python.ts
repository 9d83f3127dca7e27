/** Programs of Python that a dry run checks with. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { output } from '../programs.ts';

export interface PythonTools {
  /** Rejects with the errors of a document. */
  readonly validateSPDX: (file: string) => Promise<void>;
  /** Rejects with what zizmor finds in a file or a folder, whatever its severity. */
  readonly checkWorkflows: (path: string) => Promise<void>;
}

/** Installs both into an empty folder with pip, which checks what it downloads. Needs Python 3.11 or newer. */
export async function installPythonTools(folder: string): Promise<PythonTools> {
  const requirements = fileURLToPath(new URL('./requirements.txt', import.meta.url));
  const args = ['--quiet', '--disable-pip-version-check', '--require-hashes', '--only-binary=:all:'];
  await output(
    'python3',
    ['-m', 'pip', 'install', ...args, `--target=${folder}`, `--requirement=${requirements}`],
    300_000,
  );
  return {
    async validateSPDX(file) {
      await output('env', [`PYTHONPATH=${folder}`, join(folder, 'bin/pyspdxtools'), `--infile=${file}`]);
    },
    async checkWorkflows(path) {
      await output(join(folder, 'bin/zizmor'), ['--offline', '--no-progress', '--persona=pedantic', path]);
    },
  };
}

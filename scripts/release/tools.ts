/** The programs of a release, which are built with Go as the validators are. */
import { fileURLToPath } from 'node:url';
import type { GoProgram } from '../../test/validators/build.ts';

/** Moves images, and serves a registry. */
export const crane: GoProgram = {
  name: 'crane',
  module: fileURLToPath(new URL('./tools/', import.meta.url)),
  package: 'github.com/google/go-containerregistry/cmd/crane',
  duration: 'less than a minute, once',
};

/** Signs and verifies. */
export const cosign: GoProgram = {
  ...crane,
  name: 'cosign',
  package: 'github.com/sigstore/cosign/v3/cmd/cosign',
  duration: 'ten minutes, once',
};

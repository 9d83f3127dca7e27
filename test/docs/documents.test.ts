import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import * as z from 'zod';
import { apiVersion, kind, Spec } from '../../src/api/v1alpha1.ts';
import { anchorsOf, documents, headings, prose, root } from './documents.ts';

describe.each([...documents])('%s', (path, text) => {
  test('has no broken links', () => {
    const links = [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
    const broken = links.filter((link) => {
      if (link.startsWith('https://')) return !URL.canParse(link);
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? path : relative(root, join(root, dirname(path), file));
      return !existsSync(join(root, target)) || (anchor !== undefined && !anchorsOf(target).includes(anchor));
    });
    expect(broken).toEqual([]);
  });

  test('names only files that exist', () => {
    const named = [...prose(text).matchAll(/`((?:src|test|docs|crds|deploy|examples|sandbox|scripts)\/[\w./-]+)`/g)];
    expect(named.map(([, file = '']) => file).filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });
});

test('docs/develop/reconciliation.md names only files of src/ that exist', () => {
  const text = prose(documents.get('docs/develop/reconciliation.md') ?? '');
  const named = [...text.matchAll(/`((?!src\/|test\/|scripts\/)[\w/-]+\.ts)`/g)].map(([, file = '']) => file);
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((file) => !existsSync(join(root, 'src', file)))).toEqual([]);
});

describe('decisions', () => {
  const folder = 'docs/develop/adr/';
  const decisions = [...documents].filter(([path]) => path.startsWith(folder));

  test.each(decisions)('%s has a status, a date and the four parts', (_path, text) => {
    expect(text).toMatch(/^# \d+\. .+\n\n- Status: \w+.*\n- Date: \d{4}-\d\d-\d\d\n/);
    expect(headings(text, 2)).toEqual(['Context', 'Decision', 'Alternatives', 'Consequences']);
  });

  test('are all listed in docs/develop/architecture.md, by number and title', () => {
    const listed = [
      ...(documents.get('docs/develop/architecture.md') ?? '').matchAll(/^(\d+\. )\[(.+)\]\((adr\/.+)\)$/gm),
    ].map(([, number = '', title = '', file = '']) => [`docs/develop/${file}`, number + title]);
    expect(listed).toEqual(decisions.map(([path, text]) => [path, headings(text, 1)[0]]));
  });
});

const Manifest = z.strictObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.strictObject({ name: z.string(), namespace: z.string() }),
  spec: z.unknown().optional(),
  stringData: z.record(z.string(), z.string()).optional(),
});

const blocks = [...documents].flatMap(([path, text]) =>
  [...text.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, block = ''], index) => ({ path, index, block })),
);
const files = globSync('examples/forwardings/*.yaml', { cwd: root }).map((path) => ({
  path,
  index: 0,
  block: readFileSync(join(root, path), 'utf8'),
}));

describe('YAML', () => {
  test('is in the documents', () => {
    expect(blocks.length).toBeGreaterThan(1);
    expect(files.length).toBeGreaterThan(5);
  });

  test('of the gallery is linked from docs/use/examples.md', () => {
    const page = documents.get('docs/use/examples.md') ?? '';
    expect(files.filter(({ path }) => !page.includes(`(../../${path})`))).toEqual([]);
  });

  test.each([...blocks, ...files])('block $index of $path is a forwarding without unknown fields', ({ block }) => {
    const manifests = parseAllDocuments(block, { strict: true, uniqueKeys: true }).map((one) => {
      expect(one.errors).toEqual([]);
      return Manifest.parse(one.toJS());
    });
    const forwardings = manifests.filter((one) => one.kind === kind);
    expect(forwardings).not.toEqual([]);
    for (const { apiVersion: version, spec } of forwardings) {
      expect(version).toBe(apiVersion);
      const parsed = Spec.parse(spec);
      // The schema removes unknown fields.
      expect(parsed).toMatchObject(z.record(z.string(), z.unknown()).parse(spec));
      const portals = [...(parsed.portals ?? []), ...(parsed.portalRefs ?? [])];
      expect(parsed.organization !== undefined || portals.length > 0).toBe(true);
    }
  });

  test('of the smallest forwarding is the same in README.md, docs/use/resource.md and examples/forwarding.yaml', () => {
    const first = blocks.find(({ path }) => path === 'README.md');
    const second = blocks.find(({ path }) => path === 'docs/use/resource.md');
    expect(first?.block).toBe(second?.block);
    const example = readFileSync(join(root, 'examples/forwarding.yaml'), 'utf8');
    expect(example.endsWith(`\nkind: Namespace\nmetadata:\n  name: platform\n---\n${first?.block ?? ''}`)).toBe(true);
  });
});

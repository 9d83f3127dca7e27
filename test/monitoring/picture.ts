/** Draws the dashboard in a headless Chromium, with Grafana's panel components and the answers of a real Prometheus. */
import { deepEqual, equal } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { renderDashboard } from '../../scripts/monitoring/dashboard.ts';
import { findChromium, openPage } from '../browser/chromium.ts';
import { eventually } from '../support/eventually.ts';
import type { Answer, Input, PanelModel, Target } from './picture/input.ts';
import type { Monitoring } from './servers.ts';

const folder = join(import.meta.dirname, 'picture');
const width = 1_600;
// A picture of the whole size has more than 300 KB.
const scale = 0.75;

export interface Drawing {
  /** In seconds. */
  readonly from: number;
  readonly to: number;
  /** Returns a query of the dashboard as Prometheus gets it. */
  readonly asSent: (expr: string) => string;
}

/** Installs Grafana's components, checks the types of the page, and bundles it. Resolves with a function that draws. */
export async function createPictures(progress: (line: string) => void) {
  const chromium = findChromium();
  if (chromium === undefined)
    throw new Error('the picture needs Chromium: apt-get install chromium, or name it in CHROMIUM');
  const lock = readFileSync(join(folder, 'package-lock.json'), 'utf8');
  const installed = join(folder, 'node_modules/.installed-lock.json');
  if (!existsSync(installed) || readFileSync(installed, 'utf8') !== lock) {
    progress("installing Grafana's panel components: two minutes, once");
    run('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--silent']);
    writeFileSync(installed, lock);
  }
  run(process.execPath, [join(import.meta.dirname, '../../node_modules/typescript/bin/tsc'), '--noEmit']);
  const script = await bundle();
  const style = readFileSync(join(folder, 'node_modules/uplot/dist/uPlot.min.css'), 'utf8');

  return async (monitoring: Monitoring, drawing: Drawing): Promise<Buffer> => {
    const temporary = await mkdtemp(join(tmpdir(), 'dashboard-'));
    try {
      const file = join(temporary, 'dashboard.html');
      const input = JSON.stringify(await answersFor(monitoring, drawing)).replaceAll('<', '\\u003c');
      const body = `<script>window.input = ${input}</script><script type="module">${script.replaceAll('</script', '<\\/script')}</script>`;
      await writeFile(file, `<!doctype html><meta charset="utf-8"><style>${style}</style><body>${body}`);
      return await shoot(chromium, file);
    } finally {
      await rm(temporary, { recursive: true });
    }
  };
}

function run(command: string, args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stdout}${stderr}`);
}

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(folder, 'page.tsx')],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    minify: true,
    jsx: 'automatic',
    legalComments: 'none',
    loader: { '.ttf': 'empty', '.svg': 'empty', '.css': 'empty' },
    define: { 'process.env.NODE_ENV': '"production"' },
    alias: { 'react-custom-scrollbars-2': join(folder, 'scrollbars.ts') },
    logLevel: 'error',
  });
  return outputFiles[0]?.text ?? '';
}

async function answersFor(monitoring: Monitoring, { from, to, asSent }: Drawing): Promise<Input> {
  const { title, panels }: { title: string; panels: PanelModel[] } = JSON.parse(renderDashboard());
  const times = Array.from({ length: to - from + 1 }, (_, index) => from + index);
  const ask = async ({ expr, instant }: Target): Promise<Answer> => {
    const query = asSent(expr);
    if (instant !== true) return { times, series: await monitoring.queryRange(query, from, to) };
    const series = await monitoring.query(query);
    return { times: [to], series: series.map(({ metric, value }) => ({ metric, values: [[to, value[1]]] })) };
  };
  const answers = panels.map(async ({ id, targets = [] }) => [id, await Promise.all(targets.map(ask))] as const);
  return { title, panels, answers: Object.fromEntries(await Promise.all(answers)), from, to, width };
}

async function shoot(chromium: string, file: string): Promise<Buffer> {
  const page = await openPage(chromium, pathToFileURL(file).href);
  try {
    await eventually(async () => equal(await page.evaluate('document.title'), 'drawn'), { everyMs: 200 });
    // Grafana's fonts are not in its packages: the browser takes others.
    const others = page.complaints.filter((complaint) => !complaint.includes('/public/fonts/'));
    deepEqual(others, []);
    const height = Number(await page.evaluate('document.documentElement.scrollHeight'));
    const clip = { x: 0, y: 0, width, height, scale };
    const { data } = await page.send('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true, clip });
    return Buffer.from(String(data), 'base64');
  } finally {
    await page.close();
  }
}

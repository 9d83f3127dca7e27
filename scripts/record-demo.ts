/**
 * `npm run demo:record`: runs the demo, draws its output as `docs/demo.svg` and puts it into `docs/start/tour.md`. `-- --save FILE` also keeps the
 * recording, in asciicast format, version 2. `-- --load FILE` uses such a recording and runs nothing.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { tourPage, withTour } from './demo-tour.ts';
import { drawTerminal, type Output } from './terminal-svg.ts';

const picture = 'docs/demo.svg';
const title = 'npm run demo';
const description =
  'A terminal that shows the demo of the operator: a forwarding is applied and becomes ready, audit lines arrive in SumoLogic, ' +
  "a rotated Secret is applied, another client's changes are restored, a wrong portal ID is reported, every line is proved to have arrived, " +
  'audit logs that SumoLogic refused are replayed, and everything is deleted.';

const Event = z.tuple([z.number(), z.literal('o'), z.string()]);

async function runDemo(): Promise<Output[]> {
  const startedMs = performance.now();
  const recording: Output[] = [{ atMs: 0, text: `$ ${title}\n` }];
  const demo = spawn('npm', ['run', '--silent', 'demo'], { stdio: ['ignore', 'pipe', 'inherit'] });
  demo.stdout.setEncoding('utf8').on('data', (text: string) => {
    process.stdout.write(text);
    recording.push({ atMs: Math.round(performance.now() - startedMs), text });
  });
  const [code] = await once(demo, 'close');
  if (code !== 0) throw new Error(`the demo ended with code ${String(code)}`);
  return recording;
}

async function load(file: string): Promise<Output[]> {
  const [, ...events] = (await readFile(file, 'utf8')).trimEnd().split('\n');
  return events.map((line) => {
    const [seconds, , text] = Event.parse(JSON.parse(line));
    return { atMs: Math.round(seconds * 1_000), text: text.replaceAll('\r\n', '\n') };
  });
}

async function save(file: string, recording: readonly Output[]): Promise<void> {
  const header = { version: 2, width: 110, height: 28, title };
  const events = recording.map(({ atMs, text }) => [atMs / 1_000, 'o', text.replaceAll('\n', '\r\n')]);
  await writeFile(file, [header, ...events].map((line) => `${JSON.stringify(line)}\n`).join(''));
}

const { values } = parseArgs({ options: { save: { type: 'string' }, load: { type: 'string' } } });
const recording = values.load === undefined ? await runDemo() : await load(values.load);
if (values.save !== undefined) await save(values.save, recording);
await writeFile(picture, drawTerminal(recording, { title, description }));
const transcript = recording.map(({ text }) => text).join('');
await writeFile(tourPage, withTour(await readFile(tourPage, 'utf8'), transcript));
process.stdout.write(`wrote ${picture} and the tour in ${tourPage}\n`);

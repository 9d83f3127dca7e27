/** A headless Chromium, by its DevTools protocol. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

type Fields = Readonly<Record<string, unknown>>;

/** Returns the executable that `CHROMIUM` names, or the first one that is on the PATH. */
export function findChromium(): string | undefined {
  const named = process.env['CHROMIUM'];
  const names = named === undefined ? ['chromium', 'chromium-browser', 'google-chrome'] : [named];
  return names.find((name) => spawnSync(name, ['--version']).status === 0);
}

export interface Page {
  /** Sends a command of the DevTools protocol. Resolves with its result. */
  readonly send: (method: string, params?: Fields) => Promise<Fields>;
  /** Resolves with the value of an expression in the page. */
  readonly evaluate: (expression: string) => Promise<unknown>;
  /** What the console got so far, and what threw. */
  readonly complaints: readonly string[];
  readonly close: () => Promise<void>;
}

/** Opens a page. Resolves when it is loaded. */
export async function openPage(executable: string, url: string): Promise<Page> {
  const profile = mkdtempSync(join(tmpdir(), 'chromium-'));
  const flags = [
    '--headless=new',
    '--disable-gpu',
    '--no-sandbox',
    '--remote-debugging-port=0',
    `--user-data-dir=${profile}`,
  ];
  const child = spawn(executable, [...flags, 'about:blank'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const socket = new WebSocket(await addressOf(child));
  await once(socket, 'open');
  const complaints: string[] = [];
  const answers = new Map<number, (message: Fields) => void>();
  const loaded = Promise.withResolvers<void>();
  let sessionId: unknown;
  let last = 0;

  socket.addEventListener('message', ({ data }) => {
    const message: Fields = JSON.parse(String(data));
    if (typeof message['id'] === 'number') answers.get(message['id'])?.(message);
    else if (message['method'] === 'Page.loadEventFired') loaded.resolve();
    else if (/^(?:Runtime\.exceptionThrown|Runtime\.consoleAPICalled|Log\.entryAdded)$/.test(String(message['method'])))
      complaints.push(JSON.stringify(message['params']));
  });

  async function send(method: string, params: Fields = {}): Promise<Fields> {
    last += 1;
    const id = last;
    const { promise, resolve } = Promise.withResolvers<Fields>();
    answers.set(id, resolve);
    socket.send(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
    const { error, result } = await promise;
    if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return Object(result);
  }

  const { targetId } = await send('Target.createTarget', { url: 'about:blank' });
  sessionId = (await send('Target.attachToTarget', { targetId, flatten: true }))['sessionId'];
  for (const domain of ['Page', 'Runtime', 'Log', 'Accessibility']) await send(`${domain}.enable`);
  await send('Page.navigate', { url });
  await loaded.promise;
  return {
    send,
    evaluate: async (expression) =>
      Object((await send('Runtime.evaluate', { expression, returnByValue: true }))['result']).value,
    complaints,
    async close() {
      socket.close();
      child.kill();
      await once(child, 'exit');
      rmSync(profile, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

/** Resolves with the address that Chromium prints. */
async function addressOf({ stderr }: ChildProcess): Promise<string> {
  if (stderr === null) throw new Error('Chromium has no standard error');
  for await (const line of createInterface(stderr)) {
    const [, address] = /DevTools listening on (ws:\S+)/.exec(line) ?? [];
    if (address !== undefined) return address;
  }
  throw new Error('Chromium ended without an address');
}

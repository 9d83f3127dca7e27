import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { Informer } from '../../../src/kube/informer.ts';
import { loadKubeConfig, type PooledKubeConfig } from '../../../src/kube/kube-config.ts';
import { isLater, keyOf } from '../../../src/kube/objects.ts';
import type { Change } from '../../../src/kube/store.ts';
import { eventually } from '../../support/eventually.ts';
import { ApiServer, type Fault, json, refuse, WIDGETS, type Widget } from './api-server.ts';

const name = fc.constantFrom('p', 'q', 'r', 's', 't', 'u');
/** When the answer to an own write reaches the informer. `none`: another client writes. */
const answer = fc.constantFrom('none', 'now', 'later');
const faults = ['410', '429', '500', '503', '401', 'html', 'silent', 'reset', 'restarted during the answer'] as const;

/** The possible steps, and how often each occurs. */
export const step = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('put' as const), name, answer }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('remove' as const), name, answer }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('replace' as const), name }) },
  { weight: 4, arbitrary: fc.constant({ kind: 'answer' as const }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('break' as const), how: fc.constantFrom('end', 'reset', 'half') }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'half-open' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'expire' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'compact' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'bookmark' as const }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('fault' as const),
      what: fc.constantFrom('list', 'watch'),
      fault: fc.constantFrom(...faults),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('storm' as const), of: fc.integer({ min: 2, max: 6 }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('slow' as const), ms: fc.constantFrom(0, 0, 2, 5) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rotate' as const), fileFirst: fc.boolean() }) },
  { weight: 5, arbitrary: fc.constant({ kind: 'breathe' as const }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'pass' as const }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'meet' as const }) },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** The limits of the client and the informer, in milliseconds. */
export const limits = { timeoutMs: 25, inactivityMs: 25, backOff: { baseMs: 2, maxMs: 4 }, retryAfterMs: 6 };

/** A server, an informer of it, and a handler that records the changes. */
export class Story {
  readonly #server = new ApiServer();
  readonly #stop = new AbortController();
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'informer-'));
  readonly #tokenFile = path.join(this.#folder, 'token');
  /** The objects that follow from the changes so far. */
  readonly fromChanges = new Map<string, Widget>();
  readonly #gone = new Set<string>();
  /** Contradictions between the changes. */
  readonly wrong: string[] = [];
  /** The delays between attempts. */
  readonly waitsMs: number[] = [];
  #late: Widget[] = [];
  #rotations = 0;
  #writing: NodeJS.Timeout | undefined;
  #informer: Informer<Widget> | undefined;
  #running: Promise<void> | undefined;
  #config: PooledKubeConfig | undefined;

  async begin(): Promise<void> {
    await this.#server.start();
    this.#rotate(true);
    const config = loadKubeConfig({ kubeconfig: this.#kubeconfig() });
    this.#config = config;
    const wait = (fields: object) => {
      if ('waitMs' in fields && typeof fields.waitMs === 'number') this.waitsMs.push(fields.waitMs);
    };
    this.#informer = new Informer<Widget>({
      client: this.#server.client({ config, timeoutMs: limits.timeoutMs }),
      path: WIDGETS,
      pageSize: 2,
      backOff: limits.backOff,
      inactivityMs: limits.inactivityMs,
      log: { debug: wait, info: wait, warn: wait, error: (_fields, message) => void this.wrong.push(message) },
      onChange: (change) => this.#hear(change),
    });
    this.#running = this.#informer.run(this.#stop.signal);
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    clearTimeout(this.#writing);
    this.#config?.close();
    await this.#server.stop();
    rmSync(this.#folder, { recursive: true });
  }

  async play(now: Step): Promise<void> {
    const server = this.#server;
    switch (now.kind) {
      case 'put':
        this.#answered(server.put(now.name, server.revision), now.answer);
        break;
      case 'remove':
        this.#remove(now.name, now.answer);
        break;
      case 'replace':
        this.#remove(now.name, 'none');
        server.put(now.name, server.revision);
        break;
      case 'answer': {
        // The answer to an own write may come after other changes of the object, such as its deletion.
        const late = this.#late.shift();
        if (late !== undefined) this.#informer?.upsert(late);
        break;
      }
      case 'break':
        server.breakWatches(now.how);
        break;
      case 'half-open':
        server.halfOpen();
        break;
      case 'expire':
        server.breakWatches({ code: 410, reason: 'Expired' });
        break;
      case 'compact':
        server.compact();
        break;
      case 'bookmark':
        server.bookmark();
        break;
      case 'fault':
        (now.what === 'list' ? server.listFaults : server.watchFaults).push(faultOf(now.fault, server));
        break;
      case 'storm':
        for (let count = 0; count < now.of; count += 1) server.watchFaults.push(faultOf('410', server));
        server.breakWatches({ code: 410, reason: 'Expired' });
        break;
      case 'restart': {
        const comeBack = await server.goAway();
        await nextTurn();
        await comeBack();
        break;
      }
      case 'slow':
        server.delayMs = now.ms;
        break;
      case 'rotate':
        this.#rotate(now.fileFirst);
        break;
      case 'breathe':
        await nextTurn();
        break;
      case 'pass':
        await new Promise((resolve) => setTimeout(resolve, 3));
        break;
      case 'meet':
        await this.meet();
        break;
    }
  }

  /** Waits until the store is equal to the collection of the server. */
  meet(): Promise<void> {
    return eventually(
      () => {
        const [shown, there] = [byKey(this.#informer?.store.list() ?? []), this.there];
        if (!isDeepStrictEqual(shown, there))
          throw new Error(
            `the server has ${JSON.stringify([...there])}, the store shows ${JSON.stringify([...shown])}`,
          );
      },
      { everyMs: 2 },
    );
  }

  /** The collection of the server. */
  get there(): Map<string, Widget> {
    return byKey(this.#server.objects);
  }

  deliverAll(): void {
    for (const late of this.#late.splice(0)) this.#informer?.upsert(late);
  }

  #remove(which: string, when: string): void {
    if (!this.#server.objects.some(({ metadata }) => metadata.name === which)) return;
    const last = this.#server.remove(which);
    this.#answered({ ...last, metadata: { ...last.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }, when);
  }

  #answered(written: Widget, when: string): void {
    const known = this.#informer?.store.get(keyOf(written))?.metadata.uid === written.metadata.uid;
    if (when === 'now' && (known || written.metadata.deletionTimestamp === undefined)) this.#informer?.upsert(written);
    else if (when === 'later' && known) this.#late.push(written);
  }

  #rotate(fileFirst: boolean): void {
    this.#rotations += 1;
    clearTimeout(this.#writing);
    const write = () => writeFileSync(this.#tokenFile, `token-${String(this.#rotations)}`);
    if (fileFirst) write();
    this.#server.token = `token-${String(this.#rotations)}`;
    if (!fileFirst) this.#writing = setTimeout(write, 5);
  }

  #kubeconfig(): string {
    const file = path.join(this.#folder, 'kubeconfig');
    const content = {
      clusters: [{ name: 'c', cluster: { server: this.#server.url } }],
      users: [{ name: 'u', user: { tokenFile: this.#tokenFile } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    };
    writeFileSync(file, JSON.stringify(content));
    return file;
  }

  /** Checks that each object is added once, then only moves forward, and is deleted once. */
  #hear(change: Change<Widget>): void {
    const { kind, key, object } = change;
    const { uid, resourceVersion } = object.metadata;
    const known = this.fromChanges.get(key);
    if ((kind === 'added') !== (known === undefined)) this.wrong.push(`${kind} ${key}`);
    if (known !== undefined && known.metadata.uid !== uid) this.wrong.push(`${kind} ${key} as another`);
    if (kind === 'added' && this.#gone.has(uid)) this.wrong.push(`${key} rose from the dead`);
    if (kind === 'updated') {
      if (change.previous.metadata.resourceVersion !== known?.metadata.resourceVersion)
        this.wrong.push(`${key} does not match the changes`);
      if (!isLater(resourceVersion, change.previous.metadata.resourceVersion)) this.wrong.push(`${key} went back`);
    }
    if (kind === 'deleted') {
      this.#gone.add(uid);
      this.fromChanges.delete(key);
    } else this.fromChanges.set(key, object);
  }
}

function faultOf(fault: (typeof faults)[number], server: ApiServer): Fault {
  return (_seen, response) => {
    switch (fault) {
      case '500':
      case '503':
        refuse(response, Number(fault), 'InternalError');
        break;
      case 'silent':
        break;
      case 'reset':
        response.destroy();
        break;
      case 'html':
        response.end('<html>');
        break;
      case 'restarted during the answer':
        response.write('{"items":[');
        setTimeout(() => response.destroy(), 1);
        break;
      case '429':
        refuse(response, 429, 'TooManyRequests', { 'retry-after': String(limits.retryAfterMs / 1000) });
        break;
      case '410':
        server.compact();
        refuse(response, 410, 'Expired');
        break;
      case '401':
        json(response, 401, {});
        break;
    }
    return true;
  };
}

function byKey(objects: Widget[]): Map<string, Widget> {
  return new Map(objects.map((object) => [keyOf(object), object]));
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

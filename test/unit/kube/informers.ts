import { afterEach, beforeEach, expect } from '@jest/globals';
import { isKubeError } from '../../../src/kube/errors.ts';
import { Informer, type InformerOptions } from '../../../src/kube/informer.ts';
import { keyOf } from '../../../src/kube/objects.ts';
import type { Change } from '../../../src/kube/store.ts';
import { eventually } from '../../support/eventually.ts';
import { ApiServer, WIDGETS, type Widget } from './api-server.ts';

/** Returns informers for the tests of one file. Each test has a server of its own, and all informers are stopped after it. */
export function useInformers() {
  const at = { server: new ApiServer() };
  let stops: (() => Promise<void>)[];

  beforeEach(async () => {
    at.server = new ApiServer();
    stops = [];
    await at.server.start();
  });

  afterEach(async () => {
    await Promise.all(stops.map((stop) => stop()));
    await at.server.stop();
  });

  function start(overrides: Partial<InformerOptions<Widget>> = {}) {
    const changes: Change<Widget>[] = [];
    const logged: { fields: object; message: string }[] = [];
    const write = (fields: object, message: string) => void logged.push({ fields, message });
    const informer = new Informer<Widget>({
      client: at.server.client(),
      path: WIDGETS,
      onChange: (change) => changes.push(change),
      log: { debug: write, info: write, warn: write, error: write },
      backOff: { baseMs: 4, maxMs: 20 },
      pageSize: 2,
      ...overrides,
    });
    const controller = new AbortController();
    const running = informer.run(controller.signal);
    const stop = async () => {
      controller.abort();
      await running;
    };
    stops.push(stop);
    const summaries = () => changes.map(({ kind, key, object }) => `${kind} ${key} ${object.spec?.size}`);
    const failures = () =>
      logged.map(({ fields }) => ('err' in fields && isKubeError(fields.err) ? fields.err.kind : ''));
    return { informer, changes, summaries, logged, failures, stop };
  }

  /** Waits until the store is equal to the collection of the server. */
  function same(informer: Informer<Widget>): Promise<void> {
    return eventually(() => expect(sorted(informer.store.list())).toEqual(sorted(at.server.objects)));
  }

  function watching(): Promise<void> {
    return eventually(() => expect(at.server.openWatches).toBe(1));
  }

  return { at, start, same, watching };
}

function sorted(widgets: Widget[]): Widget[] {
  return widgets.sort((a, b) => keyOf(a).localeCompare(keyOf(b)));
}

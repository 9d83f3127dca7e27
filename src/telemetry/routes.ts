import type { Metrics } from './metrics.ts';
import { plain, type Route } from './server.ts';

/** Undefined if all is well, else what is not, in our own words. */
export type Check = () => string | undefined;

/**
 * A probe in the form of kube-apiserver's: 200 and `ok` if every check passes, else 503 and a line for each that fails. `?verbose` lists all.
 * `name` is the probe's, such as `readyz`; the keys of `checks` name them.
 */
export function probe(name: string, checks: Readonly<Record<string, Check>>): Route {
  return (query) => {
    const results = Object.entries(checks).map(([check, run]) => ({ check, problem: problemOf(run) }));
    const passed = results.every(({ problem }) => problem === undefined);
    const verbose = query.has('verbose');
    const lines = results
      .filter(({ problem }) => verbose || problem !== undefined)
      .map(({ check, problem }) => (problem === undefined ? `[+]${check} ok` : `[-]${check} failed: ${problem}`));
    if (passed && !verbose) return plain(200, 'ok');
    return plain(passed ? 200 : 503, [...lines, `${name} check ${passed ? 'passed' : 'failed'}`].join('\n'));
  };
}

export function metricsPage(metrics: Pick<Metrics, 'contentType' | 'text'>): Route {
  return async () => ({ status: 200, contentType: metrics.contentType, body: await metrics.text() });
}

function problemOf(check: Check): string | undefined {
  try {
    return check();
  } catch {
    return 'the check itself failed';
  }
}

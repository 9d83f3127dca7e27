import type { Metrics } from './metrics.ts';
import { plain, type Route } from './server.ts';

/** Returns a description of the problem if the check fails, a note if it passes but there is something to know, else undefined. */
export type Check = () => string | { readonly note: string } | undefined;

/**
 * Returns a probe in the form of kube-apiserver: 200 and `ok` if every check passes, else 503 and a line for each failed check. `?verbose` lists all
 * checks. `name` is the name of the probe, such as `readyz`. The keys of `checks` are the names of the checks.
 */
export function probe(name: string, checks: Readonly<Record<string, Check>>): Route {
  return (query) => {
    const results = Object.entries(checks).map(([check, run]) => ({ check, problem: problemOf(run) }));
    const hasPassed = results.every(({ problem }) => typeof problem !== 'string');
    const isVerbose = query.has('verbose');
    const lines = results
      .filter(({ problem }) => isVerbose || typeof problem === 'string')
      .map(({ check, problem }) => {
        if (typeof problem === 'string') return `[-]${check} failed: ${problem}`;
        return `[+]${check} ok${problem === undefined ? '' : `: ${problem.note}`}`;
      });
    if (hasPassed && !isVerbose) return plain(200, 'ok');
    return plain(hasPassed ? 200 : 503, [...lines, `${name} check ${hasPassed ? 'passed' : 'failed'}`].join('\n'));
  };
}

export function metricsPage(metrics: Pick<Metrics, 'contentType' | 'text'>): Route {
  return async () => ({ status: 200, contentType: metrics.contentType, body: await metrics.text() });
}

function problemOf(check: Check): ReturnType<Check> {
  try {
    return check();
  } catch {
    return 'the check itself failed';
  }
}

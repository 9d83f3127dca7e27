import { describe, expect, test } from '@jest/globals';
import { CircuitBreaker, type Failure } from '../../../../src/konnect/limits/circuit-breaker.ts';

const failure: Failure = { kind: 'ServerError', status: 503, code: undefined };
const go = { kind: 'allowed' } as const;
const probe = { kind: 'probe' } as const;

/** Returns a breaker that opened at 0, with the smallest jitter: half of the bound. */
function opened(): CircuitBreaker {
  const circuit = new CircuitBreaker(() => 0);
  for (let count = 0; count < 5; count += 1) circuit.recordFailure({ failure, object: undefined }, go, 0);
  return circuit;
}

describe('a circuit breaker opens', () => {
  test('after five failures in a row, and has the last failure', () => {
    const circuit = new CircuitBreaker(() => 0);
    const news = [1, 2, 3, 4, 5].map((count) => circuit.recordFailure({ failure, object: String(count) }, go, 0));
    expect(news).toEqual([false, false, false, false, true]);
    expect(circuit.admit(0)).toEqual({ kind: 'refused', forMs: 500, failure });
  });

  test('not if there was an answer in between', () => {
    const circuit = new CircuitBreaker(() => 0);
    for (let count = 0; count < 20; count += 1) {
      circuit.recordFailure({ failure, object: String(count) }, go, 0);
      if (count % 4 === 3) circuit.recordAnswer();
    }
    expect(circuit.admit(0)).toEqual({ kind: 'allowed' });
  });

  test('not for a single object, which may be the cause', () => {
    const circuit = new CircuitBreaker(() => 0);
    for (let count = 0; count < 20; count += 1) circuit.recordFailure({ failure, object: '/v3/portals/1' }, go, 0);
    expect(circuit.isOpen).toBe(false);
    expect(circuit.recordFailure({ failure, object: '/v3/portals/2' }, go, 0)).toBe(true);
  });

  test('for requests that all forwardings share', () => {
    expect(opened().isOpen).toBe(true);
  });
});

describe('an open circuit breaker', () => {
  test('allows one probe after its time, and no other request before the probe has ended', () => {
    const circuit = opened();
    expect(circuit.admit(499)).toMatchObject({ kind: 'refused', forMs: 1 });
    expect(circuit.admit(500)).toEqual(probe);
    expect(circuit.admit(500)).toMatchObject({ kind: 'refused', failure });
    circuit.recordAnswer();
    expect([circuit.admit(500), circuit.admit(500)]).toEqual([go, go]);
  });

  test('stays open for longer each time, up to 30 s, the upper half of it at random', () => {
    const waits: number[] = [];
    for (const jitter of [0, 0.999]) {
      const circuit = new CircuitBreaker(() => jitter);
      let nowMs = 0;
      for (let count = 0; count < 5; count += 1) circuit.recordFailure({ failure, object: undefined }, go, nowMs);
      for (let count = 0; count < 7; count += 1) {
        const forMs = circuit.refusal(nowMs)?.forMs ?? 0;
        waits.push(Math.round(forMs / 100) / 10);
        nowMs += forMs;
        expect(circuit.admit(nowMs)).toEqual(probe);
        circuit.recordFailure({ failure, object: 'any' }, probe, nowMs);
      }
    }
    expect(waits).toEqual([0.5, 1, 2, 4, 8, 15, 15, 1, 2, 4, 8, 16, 30, 30]);
  });

  test('makes the next request a probe if one was aborted', () => {
    const circuit = opened();
    circuit.admit(10_000);
    circuit.abandonProbe();
    expect(circuit.admit(10_000)).toEqual(probe);
  });

  test('does not stay open because of requests that were sent before it opened', () => {
    const circuit = opened();
    circuit.recordFailure({ failure, object: 'late' }, go, 400);
    expect(circuit.admit(500)).toEqual(probe);
  });

  test('is closed by any answer', () => {
    const circuit = opened();
    expect([circuit.recordAnswer(), circuit.recordAnswer()]).toEqual([true, false]);
    expect(circuit.isFresh).toBe(true);
  });
});

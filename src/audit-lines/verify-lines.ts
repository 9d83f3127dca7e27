/** Verifies the signatures of audit lines. */
import { type KeyObject, verify } from 'node:crypto';
import { readSignedLine, type SignedLine } from './signed-text.ts';

export type LineResult = 'verified' | 'unsigned' | 'invalid' | 'notAuditLine';

const resultWithoutSignature = { unsigned: 'unsigned', malformed: 'invalid', other: 'notAuditLine' } as const;

/**
 * Returns a function that verifies lines and returns their results in the same order. The signatures of one call are verified at the same time on the
 * threads of Node's pool, so more lines in a call use more cores.
 */
export function lineVerifier(keys: readonly KeyObject[]): (lines: readonly string[]) => Promise<LineResult[]> {
  const candidates = [...keys];
  const verifySigned = async ({ texts, signature }: SignedLine & { kind: 'signed' }): Promise<LineResult> => {
    for (const text of texts) {
      const signed = Buffer.from(text, 'latin1');
      for (const key of candidates) {
        if (!(await isValid(key, signed, signature))) continue;
        moveToFront(candidates, key);
        return 'verified';
      }
    }
    return 'invalid';
  };
  const verifyLine = (text: string): Promise<LineResult> => {
    const line = readSignedLine(text);
    return line.kind === 'signed' ? verifySigned(line) : Promise.resolve(resultWithoutSignature[line.kind]);
  };
  return async (lines) => Promise.all(lines.map(verifyLine));
}

function isValid(key: KeyObject, signed: Buffer, signature: Buffer): Promise<boolean> {
  return new Promise((resolve, reject) => {
    verify(null, signed, key, signature, (error, valid) => (error === null ? resolve(valid) : reject(error)));
  });
}

/** The next line probably has the same key. */
function moveToFront(keys: KeyObject[], key: KeyObject): void {
  if (keys[0] !== key) keys.unshift(...keys.splice(keys.indexOf(key), 1));
}

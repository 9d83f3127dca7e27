import { readFileSync } from 'node:fs';

/** The interval of client-go. The kubelet replaces the token long before the old one expires. */
const rereadAfterMs = 60_000;

/** A token in a file that another process renews, such as the kubelet. It does not depend on the time of day, which may jump. */
export class TokenFile {
  readonly #path: string;
  readonly #now: () => number;
  #token: string | undefined;
  #readAt = -Infinity;

  /** `now` returns milliseconds from an arbitrary start that never decrease. */
  constructor(path: string, now: () => number = () => performance.now()) {
    this.#path = path;
    this.#now = now;
  }

  /** Returns the token, read within the last minute. If the file is now missing or empty, returns the last token. Throws if there never was one. */
  read(): string {
    if (this.#token !== undefined && this.#now() - this.#readAt < rereadAfterMs) return this.#token;
    return this.#reread();
  }

  /** Reads the file again after its token was refused. Returns whether it has another token now. */
  isReplaced(refused: string): boolean {
    try {
      return this.#reread() !== refused;
    } catch {
      return false;
    }
  }

  #reread(): string {
    const token = this.#tryToRead();
    if (token !== undefined) {
      this.#token = token;
      this.#readAt = this.#now();
    }
    if (this.#token === undefined) throw new Error('the token file is empty');
    return this.#token;
  }

  /** Returns undefined if the file is empty, or if it cannot be read now but could be read before. */
  #tryToRead(): string | undefined {
    try {
      const text = readFileSync(this.#path, 'utf8').trim();
      return text === '' ? undefined : text;
    } catch (error) {
      if (this.#token === undefined) throw error;
      return undefined;
    }
  }
}

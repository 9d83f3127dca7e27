import { readFileSync } from 'node:fs';

/** As often as client-go reads it; the kubelet changes it long before the old token ends. */
const READ_EVERY_MS = 60_000;

/** A token in a file that somebody keeps fresh, as the kubelet does for a Pod. Not read by the time of day, which may jump. */
export class TokenFile {
  readonly #path: string;
  readonly #now: () => number;
  #token: string | undefined;
  #readAt = -Infinity;

  /** `now` answers milliseconds from any start and never goes back. */
  constructor(path: string, now: () => number = () => performance.now()) {
    this.#path = path;
    this.#now = now;
  }

  /** The token, at most a minute old; where the file is gone or empty by now, the last one that was in it. Throws where there never was one. */
  read(): string {
    if (this.#token !== undefined && this.#now() - this.#readAt < READ_EVERY_MS) return this.#token;
    return this.#reread();
  }

  /** For a token that was refused: whether the file holds another by now, which is then what `read` answers. */
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

  /** Undefined where another look later may find what this one did not. */
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

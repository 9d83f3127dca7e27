/** A page of docs/siem/: its configuration files, its manifests, and its commands, with the addresses of this run. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { scriptsOf } from '../docs/scripts.ts';

export interface Page {
  /** Returns the first block of a language, such as `yaml` or `nginx`. */
  readonly block: (language: string) => string;
  /** Returns the first script of commands that contains a text. */
  readonly script: (containing: string) => string;
}

export type Replacements = Readonly<Record<string, string>>;

/** Resolves with the page. Each key of the replacements has to be in it, so that a changed page fails and does not run half. */
export async function readPage(name: string, replacements: Replacements): Promise<Page> {
  const path = join(import.meta.dirname, '../../docs/siem', name);
  const original = await readFile(path, 'utf8');
  for (const text of Object.keys(replacements)) {
    if (!original.includes(text)) throw new Error(`${path} does not contain ${text}`);
  }
  const text = Object.entries(replacements).reduce((page, [from, to]) => page.replaceAll(from, to), original);
  const scripts = scriptsOf(text).map((script) => script.text);
  return {
    block(language) {
      const block = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'ms').exec(text)?.[1];
      if (block === undefined) throw new Error(`${path} has no block of ${language}`);
      return block;
    },
    script(containing) {
      const found = scripts.find((script) => script.includes(containing));
      if (found === undefined) throw new Error(`${path} has no command with ${containing}`);
      return found;
    },
  };
}

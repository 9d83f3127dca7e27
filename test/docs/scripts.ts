import { prose } from './documents.ts';

/** A command, or a block of commands, of a document. */
export interface Script {
  /** The first line. It identifies the script. */
  readonly title: string;
  readonly text: string;
}

/** Returns indented blocks, each as one script, and commands between backquotes, in the order of the document. */
export function scriptsOf(document: string): Script[] {
  const found: string[] = [];
  let block: string[] = [];
  for (const line of [...prose(document).split('\n'), '']) {
    if (/^ {4,}\S/.test(line)) {
      block.push(line);
      continue;
    }
    if (block.length > 0) found.push(dedent(block));
    block = [];
    found.push(...[...line.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text).filter(isCommand));
  }
  return found.map((text) => ({ title: text.split('\n')[0] ?? '', text }));
}

/** Returns whether the text is a complete command, and not only a name such as `kubectl apply`. */
function isCommand(text: string): boolean {
  if (!/^(?:kubectl|konnect|curl) /.test(text)) return false;
  return text.includes('/') || text.split(' ').filter((word) => !word.startsWith('-')).length > 2;
}

/** A command with the output that the document shows, line by line. An ellipsis in the document replaces omitted lines. */
export interface Session extends Script {
  readonly shown: readonly string[];
  readonly isWhole: boolean;
}

/** Returns the sessions of all blocks that show a terminal. */
export function sessionsOf(document: string): Session[] {
  const blocks = [...document.matchAll(/^```console\n(.*?)^```$/gms)].map(([, block = '']) => block);
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((session) => {
        const [text = '', ...shown] = session.split('\n');
        const lines = shown.filter((line) => line !== '' && line !== '…');
        return { title: text, text, shown: lines, isWhole: !shown.includes('…') };
      }),
  );
}

function dedent(lines: readonly string[]): string {
  const margin = Math.min(...lines.map((line) => line.search(/\S/)));
  return lines.map((line) => line.slice(margin)).join('\n');
}

/** Draws what a program printed as an animated SVG without scripts, fonts or links. Pure: the same recording gives the same SVG. */
import { stripVTControlCharacters } from 'node:util';

/** A piece of output, `atMs` after the start of the program. */
export interface Output {
  readonly atMs: number;
  readonly text: string;
}

export interface TerminalText {
  /** Accessible name, also the title of the window. */
  readonly title: string;
  readonly description: string;
}

/** A row of the terminal, `atMs` after the start of the animation. */
interface Row {
  readonly atMs: number;
  readonly text: string;
  readonly style: Style;
}

type Style = 'heading' | 'command' | 'check' | 'progress' | 'output';

const columns = 110;
const visibleRows = 28;

/** A pause of the program is shown for at most this long. */
const maxPauseMs = 1_500;
/** A row of this style appears no sooner after the row before it, so that a reader can follow. */
const minPauseMs: Readonly<Record<Style, number>> = {
  heading: 2_500,
  command: 1_200,
  check: 300,
  progress: 0,
  output: 0,
};
const endPauseMs = 6_000;

const rowHeight = 17;
const columnWidth = 7.25;
const padding = 14;
const titleBar = 30;
const captionBar = 30;

const secret = /\b[ks]pat_\w+|\b(?:Bearer|Basic)\s+\S+|\/receiver\/v1\/http\/\S+/;

/**
 * Returns the SVG. A line wider than the terminal takes two rows, a line of a table one. What is longer is cut and marked with an ellipsis.
 * Throws if the output shows a credential.
 */
export function drawTerminal(recording: readonly Output[], { title, description }: TerminalText): string {
  const rows = rowsOf(recording);
  const seconds = Math.round((recording.at(-1)?.atMs ?? 0) / 1_000);
  const caption =
    `Recorded from a real run of ${String(seconds)} s. Changed: long waits shortened, ` +
    'pauses for reading added, long lines cut (…).';
  const width = Math.ceil(columns * columnWidth) + 2 * padding;
  const height = titleBar + visibleRows * rowHeight + captionBar;
  const text = rows.map(
    ({ text: line, style }, index) =>
      `<text class="${style}" y="${String(index * rowHeight + 13)}">${escapeMarkup(line.replaceAll(/ {2,}|^ /g, keepSpaces))}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${String(width)}" height="${String(height)}" viewBox="0 0 ${String(width)} ${String(height)}" role="img" aria-labelledby="title description">
<title id="title">${escapeMarkup(title)}</title>
<desc id="description">${escapeMarkup(`${description} ${caption}`)}</desc>
<style>
${animation(rows)}
text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace;fill:#c9d1d9}
.heading{fill:#58a6ff;font-weight:bold}
.command{fill:#fff;font-weight:bold}
.check{fill:#3fb950}
.progress,.frame{fill:#8b949e}
</style>
<rect x=".5" y=".5" width="${String(width - 1)}" height="${String(height - 1)}" rx="8" fill="#0d1117" stroke="#6e7681"/>
<circle cx="18" cy="15" r="5" fill="#f85149"/><circle cx="36" cy="15" r="5" fill="#d29922"/><circle cx="54" cy="15" r="5" fill="#3fb950"/>
<text class="frame" x="${String(width / 2)}" y="19" text-anchor="middle">${escapeMarkup(title)}</text>
<path d="M1 ${String(height - captionBar + 4)}H${String(width - 1)}" stroke="#30363d"/>
<text class="frame" x="${String(padding)}" y="${String(height - 9)}">${escapeMarkup(caption)}</text>
<svg x="${String(padding)}" y="${String(titleBar)}" width="${String(width - padding - 2)}" height="${String(visibleRows * rowHeight)}">
<g class="scroll">
${text.join('\n')}
</g>
<rect class="cover" width="100%" height="100%" fill="#0d1117"/>
</svg>
</svg>
`;
}

function rowsOf(recording: readonly Output[]): Row[] {
  const rows: Row[] = [];
  let shownMs = 0;
  let printedMs = 0;
  let blank = 0;
  for (const { atMs, text } of linesOf(recording)) {
    if (text === '') {
      blank += 1;
      continue;
    }
    if (secret.test(text)) throw new Error('the recording shows a credential');
    const style = styleOf(text);
    shownMs += Math.max(Math.min(atMs - printedMs, maxPauseMs), rows.length === 0 ? 0 : minPauseMs[style]);
    printedMs = atMs;
    // Blank lines appear together with the line that follows them.
    for (; blank > 0; blank -= 1) if (rows.length > 0) rows.push({ atMs: shownMs, text: '', style: 'output' });
    for (const part of wrap(text)) rows.push({ atMs: shownMs, text: part, style });
  }
  return rows;
}

/** Returns the lines without their ends, each with the time at which its end was printed. */
function linesOf(recording: readonly Output[]): Output[] {
  const lines: Output[] = [];
  let unfinished = '';
  for (const { atMs, text } of [...recording, { atMs: recording.at(-1)?.atMs ?? 0, text: '\n' }]) {
    const parts = (unfinished + text).split('\n');
    unfinished = parts.pop() ?? '';
    for (const part of parts) lines.push({ atMs, text: stripVTControlCharacters(part).trimEnd() });
  }
  return lines;
}

function styleOf(line: string): Style {
  if (line.startsWith('— ')) return 'heading';
  if (line.startsWith('$ ')) return 'command';
  if (line.startsWith('  ✓ ')) return 'check';
  return line.startsWith('==> ') ? 'progress' : 'output';
}

/** Breaks a line where a row is full, at the last blank in its second half. */
function wrap(line: string): string[] {
  if (line.length <= columns) return [line];
  if (/ {3}/.test(line)) return [cut(line)];
  const blank = line.lastIndexOf(' ', columns);
  const end = blank > columns / 2 ? blank : columns;
  return [line.slice(0, end), cut(line.slice(end).trimStart())];
}

function cut(line: string): string {
  return line.length > columns ? `${line.slice(0, columns - 1)}…` : line;
}

/**
 * Returns the CSS that uncovers the first rows and then scrolls. Without animation, for example for readers who prefer reduced motion, the
 * picture shows the last rows.
 */
function animation(rows: readonly Row[]): string {
  const totalMs = (rows.at(-1)?.atMs ?? 0) + endPauseMs;
  const steps = new Map<string, number>([['0', 0]]);
  for (const [index, { atMs }] of rows.entries()) {
    steps.set(((atMs / totalMs) * 100).toFixed(2).replace(/\.?0+$/, ''), index + 1);
  }
  const keyframes = (position: (shown: number) => string) => {
    let last = '';
    return [...steps]
      .map(([percent, shown]) => {
        const transform = position(shown);
        const isNew = transform !== last;
        last = transform;
        return isNew ? `${percent}%{transform:${transform}}` : '';
      })
      .join('');
  };
  const scroll = (shown: number) => `translateY(${String(-Math.max(0, shown - visibleRows) * rowHeight)}px)`;
  const cover = (shown: number) => `translateY(${String(Math.min(shown, visibleRows) * rowHeight)}px)`;
  const timing = `${(totalMs / 1_000).toFixed(1)}s step-end infinite`;
  return `.scroll{transform:${scroll(rows.length)};animation:scroll ${timing}}
.cover{transform:${cover(visibleRows)};animation:cover ${timing}}
@keyframes scroll{${keyframes(scroll)}}
@keyframes cover{${keyframes(cover)}}
@media (prefers-reduced-motion:reduce){.scroll,.cover{animation:none}}`;
}

/** SVG shows a run of spaces as one space, and a run of no-break spaces as it is. */
function keepSpaces(spaces: string): string {
  return '\u00a0'.repeat(spaces.length);
}

/** Returns the text as SVG shows it. */
export function escapeMarkup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

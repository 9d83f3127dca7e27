/** Reads the entries of the runbook, and renders the page that lists them. */
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { withSection } from './page-section.ts';

export const runbookFile = 'docs/operate/runbook.md';

/** The pages with entries, in the order of the list. */
const names = [
  'secrets',
  'token',
  'refused',
  'portal-refs',
  'owners',
  'in-progress',
  'not-writing',
  'konnect-unavailable',
  'deliveries',
  'gaps',
  'verification',
  'in-place',
  'events',
  'events-forwarding',
];

export interface RunbookPage {
  /** From the root of the repository. */
  readonly file: string;
  readonly text: string;
}

export interface RunbookEntry {
  readonly reason: string;
  readonly file: string;
  /** Without the heading. */
  readonly text: string;
}

/** Returns the pages with entries. */
export function runbookPages(): RunbookPage[] {
  return names.map((name) => {
    const file = `docs/operate/runbook/${name}.md`;
    return { file, text: readFileSync(file, 'utf8') };
  });
}

/** Returns whether the reasons of a page appear in events only. */
export function isAboutEvents({ file }: RunbookPage): boolean {
  return file.includes('/events');
}

/** Returns the entries of a page, in its order. */
export function entriesOf({ file, text }: RunbookPage): RunbookEntry[] {
  return text
    .split(/^## /m)
    .slice(1)
    .map((entry) => {
      const [reason = ''] = entry.split('\n', 1);
      return { reason, file, text: entry.slice(reason.length) };
    });
}

/** Returns the link from another page of the same folder as {@link runbookFile} to an entry. */
export function linkTo({ reason, file }: Pick<RunbookEntry, 'reason' | 'file'>): string {
  return `[${reason}](${fromRunbook(file, `#${reason.toLowerCase()}`)})`;
}

/** Returns Markdown of an entry with links as the pages beside {@link runbookFile} need them. */
export function moved(text: string, { file }: Pick<RunbookEntry, 'file'>): string {
  return text.replaceAll(/\]\((?!https:)([^)]+)\)/g, (_link, target: string) => `](${fromRunbook(file, target)})`);
}

function fromRunbook(file: string, target: string): string {
  const path = target.startsWith('#') ? file : posix.join(posix.dirname(file), target);
  return posix.relative(posix.dirname(runbookFile), path) + (target.startsWith('#') ? target : '');
}

/** Returns the page of the runbook with the list of entries replaced. Each line keeps the anchor that the entry had when this page contained it. */
export function withEntries(page: string, pages = runbookPages()): string {
  const sections = pages.map((one) => {
    const [, title = ''] = /^# (.+)$/m.exec(one.text) ?? [];
    return [`## ${title}`, '', ...entriesOf(one).map(lineOf)].join('\n');
  });
  return withSection(page, { file: runbookFile, name: 'entries', text: sections.join('\n\n') });
}

function lineOf(entry: RunbookEntry): string {
  return `- <a id="${entry.reason.toLowerCase()}"></a>${linkTo(entry)}: ${moved(gistOf(entry), entry)}`;
}

/** Returns the first sentence that says what the reason means. */
function gistOf({ text }: RunbookEntry): string {
  const [, means = ''] = /^(?:- \*\*Means:\*\* |(?![->\n]))(?:(?:Normal|Warning)\. )?(.+?\.)(?=\s|$)/m.exec(text) ?? [];
  return means;
}

/** The table of flags in the docs, generated from the operator's own table of flags. */
import { environmentName, flagTable } from '../src/config/flags.ts';
import { withTable } from './page-table.ts';

export const flagsFile = 'docs/operate/flags.md';

/** Returns the page of flags with its table replaced. */
export function withFlagTable(page: string): string {
  const rows = flagTable.map((flag) => [
    `\`--${flag.name}\``,
    `\`${environmentName(flag)}\``,
    flag.default === '' ? 'none' : `\`${flag.default}\``,
    flag.help,
    flag.expected,
  ]);
  const heading = ['flag', 'environment variable', 'default', 'meaning', 'value'];
  return withTable(page, { file: flagsFile, name: 'flags', rows: [heading, ...rows] });
}

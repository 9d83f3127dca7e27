/** The text of a release: its section of the changelog. */

/**
 * Returns the section of a version, without its heading. A dry run takes the section Unreleased if the version has none. Throws if the section is
 * missing or empty.
 */
export function releaseNotes(changelog: string, version: string, { dryRun }: { readonly dryRun: boolean }): string {
  const section = sectionOf(changelog, version) ?? (dryRun ? sectionOf(changelog, 'Unreleased') : undefined);
  if (section === undefined || section === '')
    throw new Error(`CHANGELOG.md has no section [${version}], or the section is empty`);
  return `${section}\n`;
}

function sectionOf(changelog: string, title: string): string | undefined {
  const sections = changelog.split(/^## /m).slice(1);
  return sections
    .find((section) => section.startsWith(`[${title}]`))
    ?.replace(/^.*\n/, '')
    .trim();
}

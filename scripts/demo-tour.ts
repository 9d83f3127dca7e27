/** The tour in the docs: the output of the demo, with a section for each of its headings. */
import { withSection } from './page-section.ts';

export const tourPage = 'docs/start/tour.md';

/** Returns the page with `transcript` as its tour. Throws an error if the page has no section for the tour. */
export function withTour(page: string, transcript: string): string {
  const [, ...steps] = transcript.split(/^— /m);
  const sections = steps.map((step) => {
    const [heading = '', ...lines] = step.split('\n');
    return `## ${heading}\n\n\`\`\`console\n${lines.join('\n').trim()}\n\`\`\``;
  });
  return withSection(page, { file: tourPage, name: 'demo', text: sections.join('\n\n') });
}

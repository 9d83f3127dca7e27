/** The tour in the documents: the output of the demo, one section for each of its headings. */

const begins = '<!-- demo -->\n';
const ends = '<!-- /demo -->\n';

/** Returns the page with `transcript` as its tour. Throws if the page has no place for it. */
export function withTour(page: string, transcript: string): string {
  const begin = page.indexOf(begins);
  const end = page.indexOf(ends);
  if (begin === -1 || end < begin) throw new Error('the page has no place for the tour');
  const [, ...sections] = transcript.split(/^— /m);
  const tour = sections.map((section) => {
    const [heading = '', ...lines] = section.split('\n');
    return `\n## ${heading}\n\n\`\`\`console\n${lines.join('\n').trim()}\n\`\`\`\n`;
  });
  return `${page.slice(0, begin + begins.length)}${tour.join('')}\n${page.slice(end)}`;
}

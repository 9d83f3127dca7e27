import { expect, test } from '@jest/globals';
import { printable } from '../../../src/telemetry/printable.ts';

test.each([
  ['a name', 'a name'],
  ['Größe 好 😀', 'Größe 好 😀'],
  ['\u001b[2J\u0007', String.raw`\u001b[2J\u0007`],
  ['two\nlines', String.raw`two\u000alines`],
  ['\u009b31m', String.raw`\u009b31m`],
  ['\u202etxt.exe\u2028', String.raw`\u202etxt.exe\u2028`],
  ['\u{e0041}', String.raw`\udb40\udc41`],
])('%j is printed as %j', (text, printed) => {
  expect(printable(text)).toBe(printed);
});

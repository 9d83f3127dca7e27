// Prints what nsyslog-parser reads from each line of standard input: parser, number of the line, key and value, with tabs between.
const { readFileSync } = require('node:fs');
const process = require('node:process');
const parse = require('nsyslog-parser');

for (const [number, line] of readFileSync(0, 'utf8').trimEnd().split('\n').entries()) {
  const { type, fields } = parse(line);
  const isRead = type.startsWith('CEF');
  const pairs = isRead ? Object.entries(fields) : [['!', `type ${type}`]];
  for (const [key, value] of pairs) process.stdout.write(`${['nsyslog-parser', number, key, value].join('\t')}\n`);
}

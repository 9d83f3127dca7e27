/** The parts of a message that a query can match. */
export interface Searchable {
  readonly line: string;
  /** The source's name, `_source`. */
  readonly source: string;
  readonly category: string;
}

export type Query =
  | { readonly kind: 'query'; readonly matches: (message: Searchable) => boolean }
  | { readonly kind: 'invalid'; readonly message: string };

type Condition = (message: Searchable) => boolean;

const fields: Readonly<Record<string, (message: Searchable) => string>> = {
  _source: (message) => message.source,
  _sourcecategory: (message) => message.category,
};

const quoted = String.raw`"((?:[^"\\]|\\.)*)"`;
const bare = String.raw`([^\s"()|=]+)`;
const tokenPattern = new RegExp(String.raw`\s*(?:(\w+)\s*=\s*(?:${quoted}|${bare})|${quoted}|${bare})`, 'y');

/**
 * Parses the part of SumoLogic's search language that finds audit lines: `_source=…`, `_sourceCategory=…`, words and quoted phrases. Names and
 * values of fields are case-insensitive. Values may be quoted, and `*` is a wildcard. All conditions must match, with or without `AND`.
 * Everything else (`OR`, `NOT`, brackets, other fields, operators after `|`) is invalid, not ignored.
 */
export function parseQuery(text: string): Query {
  const conditions: Condition[] = [];
  const trimmed = text.trim();
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < trimmed.length) {
    const position = tokenPattern.lastIndex;
    const token = tokenPattern.exec(trimmed);
    if (token === null) return invalid(`unexpected text at position ${position}`);
    const [, field, quotedValue, bareValue, phrase, word] = token;
    if (field !== undefined) {
      const read = fields[field.toLowerCase()];
      if (read === undefined) return invalid(`field ${field} is not supported`);
      conditions.push(valueCondition(read, unescape(quotedValue) ?? bareValue ?? ''));
    } else if (phrase !== undefined) {
      conditions.push(wordCondition(unescape(phrase)));
    } else if (word !== undefined && /^(?:or|not|!.*)$/i.test(word)) {
      return invalid(`${word} is not supported`);
    } else if (word !== undefined && !/^and$/i.test(word)) {
      conditions.push(wordCondition(word));
    }
  }
  if (conditions.length === 0) return invalid('nothing to search for');
  return { kind: 'query', matches: (message) => conditions.every((condition) => condition(message)) };
}

function invalid(message: string): Query {
  return { kind: 'invalid', message };
}

function unescape(text: string): string;
function unescape(text: string | undefined): string | undefined;
function unescape(text: string | undefined): string | undefined {
  return text?.replaceAll(/\\(.)/g, '$1');
}

function valueCondition(read: (message: Searchable) => string, value: string): Condition {
  const pattern = new RegExp(`^${wildcards(value, '.*')}$`, 'is');
  return (message) => pattern.test(read(message));
}

/** Returns a condition that matches whole words of the line. */
function wordCondition(word: string): Condition {
  const pattern = new RegExp(`(?<![A-Za-z0-9])${wildcards(word, String.raw`\S*`)}(?![A-Za-z0-9])`, 'i');
  return (message) => word === '*' || pattern.test(message.line);
}

function wildcards(text: string, any: string): string {
  return text
    .split('*')
    .map((part) => part.replaceAll(/[\\^$.+?()[\]{}|/-]/g, String.raw`\$&`))
    .join(any);
}

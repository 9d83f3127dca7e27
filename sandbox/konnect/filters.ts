import { invalid } from './validation.ts';

type Match = (value: string) => boolean;

const matches: Readonly<Record<string, (operand: string) => Match>> = {
  eq: (operand) => (value) => value === operand,
  neq: (operand) => (value) => value !== operand,
  contains: (operand) => (value) => value.toLowerCase().includes(operand.toLowerCase()),
  oeq: (operand) => (value) => operand.split(',').includes(value),
  ocontains: (operand) => (value) =>
    operand.split(',').some((part) => value.toLowerCase().includes(part.toLowerCase())),
};

/**
 * Returns the items that match every `filter[field][operator]=` of the query. A `filter[field]=` without an operator compares for equality.
 * The operation's own list of query parameters decides which fields and operators are allowed.
 *
 * @throws {Problem} 400 for two operators on one field
 */
export function filtered<Item extends object>(
  items: readonly Item[],
  query: URLSearchParams,
  viewOf: (item: Item) => Readonly<Record<string, unknown>>,
): Item[] {
  const seen = new Set<string>();
  const conditions = [...query].flatMap(([key, operand]) => {
    const parts = /^filter\[(\w+)\](?:\[(\w+)\])?$/.exec(key);
    const field = parts?.[1];
    const match = matches[parts?.[2] ?? 'eq']?.(operand);
    if (field === undefined || match === undefined) return [];
    if (seen.has(field)) {
      throw invalid([
        { field: key, rule: 'invalid', reason: 'only one operator may be used on a field', source: 'query' },
      ]);
    }
    seen.add(field);
    return [{ field, match }];
  });
  return items.filter((item) => conditions.every(({ field, match }) => match(comparable(viewOf(item)[field]))));
}

/** Returns the text by which filters and sorts compare a field of an answer. */
export function comparable(value: unknown): string {
  return typeof value === 'string' || typeof value === 'boolean' ? String(value) : '';
}

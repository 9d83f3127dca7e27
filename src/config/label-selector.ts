/** The grammar of Kubernetes' label selectors, as far as the API server and `kubectl get -l` share it. */

const word = '[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?';
const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const key = `(?:(?=.{1,253}/)${label}(?:\\.${label})*/)?${word}`;
const value = `(?:${word})?`;
const requirement = `(?:!?${key}|${key} *(?:==?|!=) *${value}|${key} +(?:in|notin) *\\( *${value}(?: *, *${value})* *\\))`;

/** Matches a selector such as `shard=a` or `shard notin (a, b)`. Requirements are separated by commas, and an object has to meet all of them. */
export const labelSelector = new RegExp(`^ *${requirement}(?: *, *${requirement})* *$`);

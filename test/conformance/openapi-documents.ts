import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { default as addFormats } from 'ajv-formats';
import * as YAML from 'yaml';

/** File names of Kong's documents, and the prefix of every path by the servers in them. */
export const documentFiles = {
  'audit-logs-v2.yaml': '/v2',
  'audit-logs-v3.yaml': '/v3',
  'portal-management-v3.yaml': '/v3',
} as const;

/** One request and its answer. */
export interface Exchange {
  readonly method: string;
  /** Path below the host of the region, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** The parsed body. Undefined without a body. */
  readonly requestBody: unknown;
  readonly status: number;
  readonly contentType: string | null;
  /** The parsed body. Undefined without a body. */
  readonly responseBody: unknown;
}

export interface DocumentedOperation {
  readonly id: string;
  readonly method: string;
  /** Path with the prefix of the servers and `{name}` for a segment. */
  readonly path: string;
  readonly statuses: readonly number[];
  /** Returns one line for each deviation from the documents. A missing part of a request counts only if the server accepted it. */
  deviations(exchange: Exchange): string[];
}

type Node = Readonly<Record<string, unknown>>;

/** Resolves a JSON pointer in a document and follows every `$ref`. */
interface Place {
  readonly pointer: string;
  readonly node: Node;
}

/** Returns every operation of the documents in a folder. */
export function loadOperations(folder: string): DocumentedOperation[] {
  return Object.entries(documentFiles).flatMap(([file, prefix]) => {
    const parsed: unknown = YAML.parse(readFileSync(join(folder, file), 'utf8'));
    return operationsOf(file, prefix, asNode(parsed));
  });
}

function operationsOf(file: string, prefix: string, root: Node): DocumentedOperation[] {
  const answers = validators(file, root, false);
  const parameters = validators(file, root, true);
  const found: DocumentedOperation[] = [];
  for (const path of Object.keys(asNode(root['paths']))) {
    const item = child(root, child(root, { pointer: '', node: root }, 'paths'), path);
    for (const method of ['get', 'post', 'put', 'patch', 'delete'].filter((name) => name in item.node)) {
      const operation = child(root, item, method);
      const declared = [...parametersOf(root, item), ...parametersOf(root, operation)];
      const id = textOf(operation.node['operationId']);
      found.push({
        id,
        method: method.toUpperCase(),
        path: `${prefix}${path}`,
        statuses: Object.keys(asNode(operation.node['responses'])).map(Number),
        deviations(exchange) {
          const accepted = exchange.status < 300;
          return [
            ...(accepted ? parameterDeviations(parameters, declared, `${prefix}${path}`, exchange) : []),
            ...(accepted ? bodyDeviations(root, operation, answers, exchange) : []),
            ...answerDeviations(root, operation, answers, exchange),
          ].map((deviation) => `${id} ${exchange.status}: ${deviation}`);
        },
      });
    }
  }
  return found;
}

type Validators = (pointer: string) => (value: unknown) => string[];

function validators(file: string, root: Node, coerceTypes: boolean): Validators {
  const ajv = new Ajv({ strict: false, allErrors: true, verbose: true, coerceTypes });
  addFormats.default(ajv);
  ajv.addFormat('path', true);
  ajv.addSchema(root, file);
  const compiled = new Map<string, ValidateFunction>();
  return (pointer) => (value) => {
    const validate = compiled.get(pointer) ?? ajv.compile({ $ref: `${file}#${encodeURI(pointer)}` });
    compiled.set(pointer, validate);
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, data }) => `${instancePath} ${message}${data === null ? ' (null)' : ''}`,
    );
  };
}

function parameterDeviations(
  check: Validators,
  declared: readonly Place[],
  template: string,
  exchange: Exchange,
): string[] {
  const names = template.split('/');
  const values = exchange.path.split('/');
  const inPath = new Map(names.map((name, index) => [name, values[index] ?? '']));
  const inQuery = queryOf(exchange.query);
  const known = new Set(declared.filter(({ node }) => node['in'] === 'query').map(({ node }) => node['name']));
  const unknown = [...inQuery.keys()].filter((name) => !known.has(name)).map((name) => `query ${name} is not declared`);
  const wrong = declared.flatMap(({ pointer, node }) => {
    const name = textOf(node['name']);
    const value = node['in'] === 'path' ? inPath.get(`{${name}}`) : inQuery.get(name);
    if (value === undefined || (value === '' && node['allowEmptyValue'] === true)) return [];
    return check(`${pointer}/schema`)(value).map((error) => `parameter ${name}${error}`);
  });
  return [...unknown, ...wrong];
}

/** Returns parameters by name. Parameters of style deepObject, which are only filters, become one object. */
function queryOf(query: URLSearchParams): Map<string, unknown> {
  const found = new Map<string, unknown>();
  for (const [key, value] of query) {
    const [, field, operator] = /^filter\[(\w+)\](?:\[(\w+)\])?$/.exec(key) ?? [];
    if (field === undefined) found.set(key, value);
    else
      found.set('filter', {
        ...asNode(found.get('filter') ?? {}),
        [field]: operator === undefined ? value : { [operator]: value },
      });
  }
  return found;
}

function bodyDeviations(root: Node, operation: Place, check: Validators, { requestBody }: Exchange): string[] {
  if (!('requestBody' in operation.node)) return requestBody === undefined ? [] : ['request has a body'];
  const content = child(root, child(root, operation, 'requestBody'), 'content');
  const media = child(root, content, 'application/json');
  return check(`${media.pointer}/schema`)(requestBody).map((error) => `request ${error}`);
}

function answerDeviations(root: Node, operation: Place, check: Validators, exchange: Exchange): string[] {
  const responses = child(root, operation, 'responses');
  if (!(exchange.status in responses.node)) return ['status is not declared'];
  const response = child(root, responses, String(exchange.status));
  if (!('content' in response.node)) return exchange.responseBody === undefined ? [] : ['answer has a body'];
  const content = child(root, response, 'content');
  const type = exchange.contentType?.split(';')[0] ?? '';
  if (!(type in content.node)) return [`content type ${type} is not declared`];
  const media = child(root, content, type);
  return check(`${media.pointer}/schema`)(exchange.responseBody).map((error) => `answer ${error}`);
}

function parametersOf(root: Node, place: Place): Place[] {
  const { parameters } = place.node;
  if (!Array.isArray(parameters)) return [];
  const list: Place = { pointer: `${place.pointer}/parameters`, node: Object.fromEntries(parameters.entries()) };
  return parameters.map((_, index) => child(root, list, String(index)));
}

function child(root: Node, parent: Place, key: string): Place {
  const node = asNode(parent.node[key]);
  const { $ref } = node;
  if (typeof $ref !== 'string')
    return { pointer: `${parent.pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, node };
  const pointer = $ref.slice(1);
  const target = pointer
    .split('/')
    .slice(1)
    .reduce((at, step) => asNode(at[step.replaceAll('~1', '/').replaceAll('~0', '~')]), root);
  return { pointer, node: target };
}

function asNode(value: unknown): Node {
  if (typeof value !== 'object' || value === null) throw new TypeError('the document has no object there');
  return { ...value };
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('the document has no text there');
  return value;
}

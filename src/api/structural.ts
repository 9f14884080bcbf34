/**
 * From JSON Schema, as zod writes it, to the structural schema that a CustomResourceDefinition must have.
 *
 * A keyword that the API server would not take throws instead of vanishing, so that a new member of the resource
 * cannot lose its validation silently.
 */

export interface Rule {
  readonly rule: string;
  readonly message: string;
}

/** A node of a structural schema: the members that this product uses. */
export interface Structural {
  description?: string;
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  format?: string;
  default?: unknown;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  minItems?: number;
  maxItems?: number;
  maxProperties?: number;
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-map-type'?: string;
  'x-kubernetes-int-or-string'?: true;
  'x-kubernetes-preserve-unknown-fields'?: true;
  'x-kubernetes-validations'?: Rule[];
  required?: string[];
  properties?: Record<string, Structural>;
  items?: Structural;
  additionalProperties?: Structural;
}

export type JsonSchema = { readonly [keyword: string]: unknown };

/** In the order in which people read a schema. `properties` and `items` come after them. */
const CARRIED = [
  'description',
  'type',
  'format',
  'default',
  'enum',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
  'maxProperties',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
  'x-kubernetes-int-or-string',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-validations',
  'required',
] as const;

/** Keys of a map have no schema there: a CEL rule says what they may be. */
const DROPPED = ['$schema', 'propertyNames'];
const NESTED = ['properties', 'items', 'additionalProperties'];

const INT32_MAX = 2 ** 31 - 1;

export function structural(schema: JsonSchema, path: string): Structural {
  const node = schema['x-kubernetes-int-or-string'] === true ? withoutBranches(schema) : withFormat(schema);
  refuseUnknown(node, path);
  return {
    ...Object.fromEntries(
      CARRIED.filter((keyword) => isSaid(node, keyword)).map((keyword) => [keyword, node[keyword]]),
    ),
    ...(node.properties !== undefined && { properties: members(node.properties as JsonSchema, path) }),
    ...(node.items !== undefined && { items: structural(node.items as JsonSchema, `${path}[]`) }),
    ...(isTypedMap(node) && {
      additionalProperties: structural(node.additionalProperties as JsonSchema, `${path}.*`),
    }),
  };
}

/** zod bounds every integer by what JavaScript counts exactly; `format` says to Kubernetes how wide it may become. */
function withFormat(node: JsonSchema): JsonSchema {
  if (node.type !== 'integer') return node;
  const { minimum = -Infinity, maximum = Infinity } = node as Structural;
  return { ...node, format: minimum >= -INT32_MAX && maximum <= INT32_MAX ? 'int32' : 'int64' };
}

/** The types of a union may not stand in a structural schema; a CEL rule beside it says what they said. */
function withoutBranches({ anyOf: _branches, ...rest }: JsonSchema): JsonSchema {
  return rest;
}

function refuseUnknown(node: JsonSchema, path: string): void {
  const known: readonly string[] = [...CARRIED, ...DROPPED, ...NESTED];
  const unknown = Object.keys(node).filter((keyword) => !known.includes(keyword));
  if (unknown.length > 0) {
    throw new Error(`${path}: a structural schema has no place for ${unknown.join(', ')}`);
  }
}

/** Without a type it says what the API server does by itself: unknown members are dropped, or preserved. */
function isTypedMap({ additionalProperties }: JsonSchema): boolean {
  return Object.keys((additionalProperties as object | undefined) ?? {}).length > 0;
}

function isSaid(node: JsonSchema, keyword: string): boolean {
  const value = node[keyword];
  return value !== undefined && value !== Number.MAX_SAFE_INTEGER && value !== Number.MIN_SAFE_INTEGER;
}

function members(properties: JsonSchema, path: string): Record<string, Structural> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [
      name,
      structural(schema as JsonSchema, `${path}.${name}`),
    ]),
  );
}

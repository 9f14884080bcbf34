/** What a request to an API server asks for. */
import type { IncomingMessage } from 'node:http';

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'other';

export interface Asked {
  readonly verb: Verb;
  /** With its subresource: deployments/scale. '' for what is no resource. */
  readonly resource: string;
  /** '' for all, and for what has none. */
  readonly namespace: string;
  /** '' for collections. */
  readonly name: string;
  readonly query: URLSearchParams;
  readonly authorization: string;
}

const RESOURCE_PATH =
  /^\/apis?\/(?:[^/]+\/)?v\d[^/]*(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/;

export function askedOf({ method = 'GET', url = '/', headers }: IncomingMessage): Asked {
  const { pathname, searchParams: query } = new URL(url, 'http://proxy');
  const [matched, namespace = '', plural = '', name = '', subresource] = RESOURCE_PATH.exec(pathname) ?? [];
  return {
    verb: matched === undefined ? 'other' : verbOf(method, name, query),
    resource: subresource === undefined ? plural : `${plural}/${subresource}`,
    namespace,
    name,
    query,
    authorization: headers.authorization ?? '',
  };
}

function verbOf(method: string, name: string, query: URLSearchParams): Verb {
  if (query.has('watch')) return 'watch';
  switch (method) {
    case 'GET':
      return name === '' ? 'list' : 'get';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return 'delete';
    default:
      return 'other';
  }
}

/** Whether it changes what a release is made of: no read, no dry run, no Lease, no event, which is for people. */
export function isWrite({ verb, resource, query }: Asked): boolean {
  const writes = ['create', 'update', 'patch', 'delete'].includes(verb);
  return writes && !query.has('dryRun') && !['events', 'leases'].includes(resource);
}

/** `patch services/shop` */
export function describeAsked({ verb, resource, name }: Asked): string {
  const [plural, subresource] = resource.split('/');
  return `${verb} ${[plural, name, subresource].filter(Boolean).join('/')}`;
}

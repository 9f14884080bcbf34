/** Lists, page by page. */

import { send } from './call.ts';
import { isKubeError } from './errors.ts';
import { type Context, parse, type Request } from './http.ts';
import { collectionPath, type Query, scopeQuery } from './paths.ts';
import type { KubeObject, ObjectList, ReadListOptions, ResourceType } from './ports.ts';
import { withKind } from './watch-stream.ts';

/** For all pages: ten thousand large objects take an API server seconds. */
const LIST_DEADLINE_MS = 60_000;
const PAGE_SIZE = 500;
const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

interface ListBody<T extends KubeObject> {
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items: T[] | null;
}

/** In pages; where a page's token has expired (410), once more and whole: a list that takes that long is a big one. */
export async function readList<T extends KubeObject>(
  context: Context,
  type: ResourceType,
  options: ReadListOptions<T>,
): Promise<ObjectList<T>> {
  const deadlineAt = context.clock.monotonic() + (options.deadlineMs ?? LIST_DEADLINE_MS);
  try {
    return await readPages(context, type, options, PAGE_SIZE, deadlineAt);
  } catch (error) {
    if (!isKubeError(error, 'Gone')) throw error;
    return readPages(context, type, options, undefined, deadlineAt);
  }
}

async function readPages<T extends KubeObject>(
  context: Context,
  type: ResourceType,
  options: ReadListOptions<T>,
  limit: number | undefined,
  deadlineAt: number,
): Promise<ObjectList<T>> {
  const items: T[] = [];
  const take = options.into?.() ?? ((object: T) => void items.push(object));
  let next: string | undefined;
  let resourceVersion = '';
  do {
    const request = listRequest(context, type, options, deadlineAt, { limit, continue: next });
    const page = parse<ListBody<T>>(request, await send(context, request));
    for (const item of page.items ?? []) take(withKind(item, type));
    next = page.metadata.continue === '' ? undefined : page.metadata.continue;
    resourceVersion = page.metadata.resourceVersion ?? '';
  } while (next !== undefined);
  return { items, resourceVersion };
}

function listRequest<T extends KubeObject>(
  context: Context,
  type: ResourceType,
  options: ReadListOptions<T>,
  deadlineAt: number,
  page: Query,
): Request {
  return {
    verb: 'list',
    method: 'GET',
    type,
    call: `list ${type.plural}${options.namespace === undefined ? '' : ` in ${options.namespace}`}`,
    path: collectionPath(type, options.namespace),
    query: { ...scopeQuery(options), ...page },
    ...(options.metadataOnly === true ? { accept: METADATA_LIST } : {}),
    repeatable: true,
    options,
    deadlineMs: deadlineAt - context.clock.monotonic(),
  };
}

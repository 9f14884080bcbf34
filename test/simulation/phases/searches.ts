/** The searches: what can happen, and how far a test goes. `npm run phases` goes further. */
import type { SearchOptions } from './search.ts';

const PEOPLE = new Set(['suspend', 'resume', 'promote', 'abort', 'rollback', 'retry']);
const STRANGERS = new Set(['selector stripped', 'selector moved']);

export const SEARCHES: Readonly<Record<string, SearchOptions & { readonly most: number }>> = {
  /** Pods, endpoints, Jobs, measurements, time, and the Deployment in Git. */
  life: { most: 4000, crashes: false, only: (event) => !PEOPLE.has(event) && !STRANGERS.has(event) },
  /** Besides: what people order, and other writers of the Service. */
  people: { most: 3000, crashes: false },
  /** Besides: the operator dies after any effect, and anything may happen before it is back. */
  crashes: { most: 1500, crashes: true },
};

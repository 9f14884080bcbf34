/**
 * When and by whom a Service was switched, read from the API server's audit log: the log's own time stamps, and not what
 * the operator says of itself.
 */
import { ANNOTATION_SWITCH, LABEL_COLOR } from '../../src/api/names.ts';

/** A change of a Service's selector. Times are milliseconds since the epoch. */
export interface Switch {
  /** When the API server received the patch: whoever sent it had decided by then. */
  readonly decidedAt: number;
  /** When the API server had carried it out. */
  readonly patchedAt: number;
  /** undefined: the selector names no colour any more. */
  readonly color: string | undefined;
  /** The mark in the same patch; undefined for a patch that is not the operator's. */
  readonly mark: Mark | undefined;
  readonly user: string;
}

export interface Mark {
  readonly revision: string;
  readonly attempt: number;
  readonly direction: 'Forward' | 'Back';
}

export interface ServiceName {
  readonly namespace: string;
  readonly name: string;
  /** The key in the selector. Default: bluegreen.dev/color. */
  readonly selectorLabel?: string;
}

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
}

/** Lines of the audit log; those that say nothing of the Service's selector, or are cut off, are passed over. */
export function switchesIn(lines: Iterable<string>, service: ServiceName): Switch[] {
  const patches: { readonly made: Switch; readonly isAnswered: boolean }[] = [];
  for (const line of lines) {
    const event = line.includes('"services"') ? parse(line) : undefined;
    if (event === undefined || !isPatchOf(event, service)) continue;
    const isAnswered = event.responseStatus.code === 200;
    patches.push(...switchOf(event, service).map((made) => ({ made, isAnswered })));
  }
  patches.sort((a, b) => a.made.decidedAt - b.made.decidedAt);
  // What had no answer is the same switch once more where another one had, or came after it: only one can be carried out.
  return patches
    .filter(({ made, isAnswered }, index) => {
      const others = patches.filter((other, at) => (other.isAnswered || at > index) && at !== index);
      return isAnswered || !others.some((other) => isSame(other.made, made));
    })
    .map(({ made }) => made);
}

function isSame(a: Switch, b: Switch): boolean {
  return a.color === b.color && JSON.stringify(a.mark) === JSON.stringify(b.mark);
}

function parse(line: string): any {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isPatchOf(event: any, { namespace, name }: ServiceName): boolean {
  const { verb, stage, objectRef, responseStatus, requestObject, requestURI = '' } = event;
  return (
    verb === 'patch' &&
    // It is asked in advance whether a switch would be let through.
    !/[?&]dryRun=/.test(requestURI) &&
    stage === 'ResponseComplete' &&
    objectRef?.resource === 'services' &&
    objectRef.subresource === undefined &&
    objectRef.namespace === namespace &&
    objectRef.name === name &&
    // 504: whoever asked was gone before the answer, as one that is killed is.
    (responseStatus?.code === 200 || responseStatus?.code === 504) &&
    Array.isArray(requestObject)
  );
}

function switchOf(event: any, { selectorLabel = LABEL_COLOR }: ServiceName): Switch[] {
  const writes = (event.requestObject as Operation[]).filter(({ op }) => op !== 'test');
  const color = written(writes, '/spec/selector', selectorLabel);
  if (color === undefined) return [];
  return [
    {
      decidedAt: Date.parse(event.requestReceivedTimestamp),
      patchedAt: Date.parse(event.stageTimestamp),
      color: color.value,
      mark: parseMark(written(writes, '/metadata/annotations', ANNOTATION_SWITCH)?.value),
      user: event.user?.username ?? '',
    },
  ];
}

/** What a member of a map becomes, whether the patch writes the member or the whole map; undefined: it is not touched. */
function written(
  writes: readonly Operation[],
  map: string,
  key: string,
): { value: string | undefined } | undefined {
  const path = `${map}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  const write = writes.findLast((each) => each.path === path || each.path === map);
  if (write === undefined) return undefined;
  if (write.op === 'remove') return { value: undefined };
  const value = write.path === path ? write.value : (write.value as Record<string, unknown>)[key];
  return { value: typeof value === 'string' ? value : undefined };
}

/** `<release uid>/<revision>/<attempt>`, and `/back` for the way back. */
export function parseMark(text: string | undefined): Mark | undefined {
  const [, revision, attempt, back] = /^[^/]+\/([^/]+)\/(\d+)(\/back)?$/.exec(text ?? '') ?? [];
  if (revision === undefined) return undefined;
  return { revision, attempt: Number(attempt), direction: back ? 'Back' : 'Forward' };
}

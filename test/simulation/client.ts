/** The API as one operator process sees it: late, sometimes failing, sometimes silent about what it did. */
import { KubeError } from '../../src/kube/errors.ts';
import type { KubeClient, KubeObject, ResourceType } from '../../src/kube/ports.ts';
import { SERVICES } from '../../src/kube/types.ts';
import type { Api } from './cluster/api.ts';
import type { Faults } from './faults.ts';
import type { Happenings } from './happenings.ts';
import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';

export interface ClientOptions {
  readonly api: Api;
  readonly timeline: Timeline;
  readonly random: Random;
  readonly faults: Faults;
  readonly happenings: Happenings;
  readonly isAlive: () => boolean;
  /** The process dies here. */
  readonly crash: () => void;
  /** A policy forbids to write this Service. */
  readonly isLocked: (service: string) => boolean;
  /** Told of each write just before and just after it, in the same instant. */
  readonly onWrite: (write: Write, run: () => void) => void;
  /** Told of each object that an answer holds, when it has come. */
  readonly onTold: (type: ResourceType, object: KubeObject) => void;
}

export interface Write {
  readonly verb: 'create' | 'replace' | 'patch' | 'delete';
  readonly type: ResourceType;
  readonly name: string;
  readonly subresource: string | undefined;
}

export function createClient(options: ClientOptions): KubeClient {
  const { api, timeline, random, faults, happenings } = options;

  const strikes = (chance: number, fault: string): boolean =>
    random.chance(chance) && happenings.happens(fault);
  /** A process that is dead awaits for ever. */
  const rest = (): Promise<never> => new Promise(() => undefined);

  async function call<T>(
    what: string,
    writes: boolean,
    run: () => T,
    onAnswer: (answer: T) => void = () => undefined,
  ): Promise<T> {
    await timeline.sleep(random.between(1, faults.latency));
    if (!options.isAlive()) return rest();
    const reason = random.pick(['ServerError', 'Network', 'Timeout', 'TooManyRequests'] as const);
    if (strikes(faults.callFails, 'call failed')) throw lost(what, reason);
    if (writes && strikes(faults.crash, 'crash before a write')) return die();
    const answer = settle(run);
    if (writes && strikes(faults.crash, 'crash after a write')) return die();
    await timeline.sleep(random.between(1, faults.latency));
    if (!options.isAlive()) return rest();
    if (strikes(faults.answerLost, 'answer lost')) throw lost(what, 'Network');
    const answered = answer();
    onAnswer(answered);
    return answered;
  }

  function die(): Promise<never> {
    options.crash();
    return rest();
  }

  /** Of Services alone: nothing else is kept. */
  function admit(type: ResourceType, name: string): void {
    if (type !== SERVICES || !options.isLocked(name)) return;
    const denied = {
      call: `patch services ${name}`,
      message: `services "${name}" is forbidden: a policy keeps it`,
    };
    throw new KubeError({ reason: 'Forbidden', status: 403, ...denied });
  }

  function hear(type: ResourceType, object: unknown): void {
    if (object !== undefined) options.onTold(type, object as KubeObject);
  }

  function write<T>(write: Write, run: () => T): Promise<T> {
    const { verb, type, name } = write;
    const once = (): T => {
      if (verb === 'patch') admit(type, name);
      let answer: T | undefined;
      options.onWrite(write, () => {
        answer = run();
      });
      return answer as T;
    };
    return call(`${verb} ${type.plural} ${name}`, true, once, (answer) => hear(type, answer));
  }

  return {
    get: (type, { name }) =>
      call(
        `get ${type.plural} ${name}`,
        false,
        () => copy(api.get(type, name)) as any,
        (answer) => hear(type, answer),
      ),
    list: (type, { labelSelector } = {}) =>
      call(
        `list ${type.plural}`,
        false,
        () => api.list(type, labelSelector).map((object) => copy(object)) as any,
        (answer) => {
          for (const object of answer) hear(type, object);
        },
      ),
    create(type, body, { dryRun } = {}) {
      const run = () => copy(api.create(type, body, dryRun));
      const { name } = body.metadata;
      if (dryRun) return call(`create ${type.plural} ${name}`, false, run);
      return write({ verb: 'create', type, name, subresource: undefined }, run);
    },
    replace: (type, body) =>
      write({ verb: 'replace', type, name: body.metadata.name, subresource: undefined }, () =>
        copy(api.replace(type, body)),
      ),
    patch(type, { name }, patch, { subresource, dryRun } = {}) {
      if (dryRun)
        return call(`patch ${type.plural} ${name}`, false, () => {
          admit(type, name);
          return copy(api.get(type, name)) as any;
        });
      return write(
        { verb: 'patch', type, name, subresource },
        () => copy(api.patch(type, name, patch, subresource)) as any,
      );
    },
    delete: (type, { name }, deleteOptions = {}) =>
      write({ verb: 'delete', type, name, subresource: undefined }, () => {
        const { uid } = api.get(type, name)?.metadata ?? {};
        // As the real client has it: another object under that name means that the one that was meant is gone.
        if (uid !== undefined && uid === (deleteOptions.uid ?? uid)) api.delete(type, name, deleteOptions);
      }),
  };
}

/** What was answered or thrown, to be handed over later. */
function settle<T>(run: () => T): () => T {
  try {
    const answer = run();
    return () => answer;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

/** The store takes members out of what it is given. */
function copy<T>(object: T): T {
  return object === undefined ? object : { ...object };
}

function lost(call: string, reason: 'ServerError' | 'Network' | 'Timeout' | 'TooManyRequests'): KubeError {
  return new KubeError({
    reason,
    status: reason === 'ServerError' ? 500 : 0,
    call,
    message: 'the connection broke',
  });
}

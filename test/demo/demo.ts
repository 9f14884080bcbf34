/** `npm run demo`: a release, start to finish, on a real cluster. See options.ts for what it takes. */
import { appendFile, writeFile } from 'node:fs/promises';
import { commandLine } from '../support/command-line.ts';
import { currentContext } from './current-context.ts';
import { dumpState } from './dump.ts';
import { type Options, parseOptions, usage } from './options.ts';
import { ownCluster } from './own-cluster.ts';
import type { Place } from './place.ts';
import { shortcomings } from './report.ts';
import { newScene } from './scene.ts';
import { openScreen, type Screen } from './screen.ts';
import { RATE, Story, type Told } from './story.ts';
import { summary } from './summary.ts';

const say = (text = ''): void => void process.stdout.write(`${text}\n`);

/** 0: it was shown. 1: it was not. 130: somebody pressed Ctrl-C. */
async function perform(options: Options): Promise<number> {
  const interrupted = onInterrupt();
  const scene = newScene(Date.now());
  scene.step = 'Bringing up a cluster';
  const screen = openScreen({ scene, verbose: options.verbose, out: process.stdout, record: options.record });
  const opening = openPlace(options, screen, interrupted.signal);
  let place: Place | undefined;
  let story: Story | undefined;
  try {
    // A cluster that is not to stay goes with this process; one that is must be waited for, to be taken down.
    place = await (options.keep ? opening : Promise.race([opening, interrupted.promise]));
    interrupted.signal.throwIfAborted();
    scene.title = place.title;
    story = new Story(place, scene, screen);
    const told = await Promise.race([story.tell(), interrupted.promise]);
    screen.end();
    const code = await conclude(told, options, place);
    if (options.keep) await story.keepTraffic();
    return code;
  } catch (error) {
    screen.end();
    if (interrupted.signal.aborted) return 130;
    process.stderr.write(`\nThe demo failed: ${(error as Error).message}\n`);
    if (place) process.stderr.write(`The state of everything is in ${await dumpState(place)}\n`);
    return 1;
  } finally {
    story?.close();
    await takeDown(place, options.keep && !interrupted.signal.aborted);
  }
}

function openPlace(options: Options, screen: Screen, signal: AbortSignal): Promise<Place> {
  const progress = (line: string): void => screen.progress(line);
  return options.context === undefined
    ? ownCluster(options.keep, progress, signal)
    : currentContext(options.context, progress);
}

/** The first Ctrl-C takes everything down in good order; the second one leaves at once. */
function onInterrupt(): { signal: AbortSignal; promise: Promise<never> } {
  const controller = new AbortController();
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(130);
      process.stderr.write('\nInterrupted\n');
      controller.abort(new Error('interrupted'));
      reject(controller.signal.reason);
    });
  }
  return { signal: controller.signal, promise };
}

async function conclude({ report, load }: Told, options: Options, place: Place): Promise<number> {
  const wrong = shortcomings(report, load);
  for (const line of summary(report, wrong, { rate: RATE, colors: process.stdout.isTTY })) say(line);
  if (report.measuredBy !== 'audit log')
    say(
      'This cluster’s audit log cannot be read: the times of the switches are those of a watch of the Service.',
    );
  if (options.json) await writeFile(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
  if (options.record) {
    const lines = summary(report, wrong, { rate: RATE, colors: true });
    await appendFile(options.record, `${JSON.stringify({ at: Date.now(), lines, summary: true })}\n`);
  }
  if (wrong.length === 0) return 0;
  say(`The state of everything is in ${await dumpState(place, load)}`);
  return 1;
}

async function takeDown(place: Place | undefined, keep: boolean): Promise<void> {
  if (place === undefined) return;
  if (keep) {
    say(`\nEverything stays up, with a few requests a second for an hour:\n${place.keepHint}`);
    return;
  }
  say('\nTaking everything down');
  await place.remove();
}

// Whatever is still being waited for after a Ctrl-C is of no interest.
process.exit(await perform(commandLine(usage, parseOptions)));

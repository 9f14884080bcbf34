/** The command line of the demo. */
import { parseArgs } from 'node:util';
import { UsageError } from '../support/command-line.ts';

export const usage = `A release, start to finish, on a real cluster.

  npm run demo -- [--json FILE] [--keep] [--verbose]
      brings up a Kubernetes on this machine (Linux, root) and takes it down again

  npm run demo -- --use-current-context --image-operator IMAGE --image-app IMAGE [--image-prometheus IMAGE]
      uses the cluster that kubectl talks to

  --json FILE      writes the figures, too
  --keep           leaves everything up, and says how to use kubectl on it
  --verbose        lines instead of a panel, and more of them
  --record FILE    writes what the terminal shows, for test/demo/screenshot.ts`;

export interface Options {
  readonly json: string | undefined;
  readonly record: string | undefined;
  readonly keep: boolean;
  readonly verbose: boolean;
  /** undefined: a cluster of its own. */
  readonly context: ContextImages | undefined;
}

export interface ContextImages {
  readonly operator: string;
  readonly app: string;
  readonly prometheus: string;
}

/** undefined: help is wanted. Throws a sentence for people. */
export function parseOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'string' },
      record: { type: 'string' },
      keep: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      'use-current-context': { type: 'boolean', default: false },
      'image-operator': { type: 'string' },
      'image-app': { type: 'string' },
      'image-prometheus': { type: 'string' },
    },
  });
  if (values.help) return undefined;
  return {
    json: values.json,
    record: values.record,
    keep: values.keep,
    verbose: values.verbose,
    context: contextImages(values['use-current-context'], {
      operator: values['image-operator'],
      app: values['image-app'],
      prometheus: values['image-prometheus'],
    }),
  };
}

function contextImages(
  useContext: boolean,
  images: Record<keyof ContextImages, string | undefined>,
): ContextImages | undefined {
  if (!useContext) {
    if (Object.values(images).some((image) => image !== undefined))
      throw new UsageError(
        '--image-... belongs to --use-current-context: a cluster of its own gets images made here',
      );
    return undefined;
  }
  const { operator, app, prometheus = 'docker.io/prom/prometheus:v3.5.0' } = images;
  if (operator === undefined)
    throw new UsageError(
      '--image-operator is missing: an image that your cluster can pull. Make it with "docker build -t IMAGE ." and push it, or load it onto the nodes (for kind: "kind load docker-image IMAGE")',
    );
  if (app === undefined)
    throw new UsageError(
      '--image-app is missing: an image that your cluster can pull. Make it with "docker build -t IMAGE test/demo" and push it, or load it onto the nodes (for kind: "kind load docker-image IMAGE")',
    );
  return { operator, app, prometheus };
}

/** The CustomResourceDefinition of a BlueGreenRelease, made from its zod schema. */
import { z } from 'zod';
import { GROUP, KIND, rootRules, specSchema, VERSION } from './schema.ts';
import { statusSchema } from './status.ts';
import { type JsonSchema, type Structural, structural } from './structural.ts';

export const PLURAL = 'bluegreenreleases';

interface PrinterColumn {
  name: string;
  type: 'string' | 'date';
  jsonPath: string;
}

interface Version {
  name: string;
  served: boolean;
  storage: boolean;
  additionalPrinterColumns: PrinterColumn[];
  subresources: { status: object; scale: Record<string, string> };
  schema: { openAPIV3Schema: Structural };
}

export interface CustomResourceDefinition {
  apiVersion: 'apiextensions.k8s.io/v1';
  kind: 'CustomResourceDefinition';
  metadata: { name: string };
  spec: {
    group: string;
    scope: 'Namespaced';
    names: Record<string, string | string[]>;
    versions: Version[];
  };
}

export function customResourceDefinition(): CustomResourceDefinition {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${PLURAL}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: {
        kind: KIND,
        listKind: `${KIND}List`,
        plural: PLURAL,
        singular: KIND.toLowerCase(),
        shortNames: ['bgr'],
        categories: ['bluegreen'],
      },
      versions: [version()],
    },
  };
}

function version(): Version {
  return {
    name: VERSION,
    served: true,
    storage: true,
    additionalPrinterColumns: printerColumns(),
    subresources: {
      status: {},
      scale: {
        specReplicasPath: '.spec.replicas',
        statusReplicasPath: '.status.replicas',
        labelSelectorPath: '.status.selector',
      },
    },
    schema: { openAPIV3Schema: rootSchema() },
  };
}

/** What `kubectl get` shows. The message has priority 0: it says what is being waited for. */
function printerColumns(): PrinterColumn[] {
  const column = (name: string, jsonPath: string): PrinterColumn => ({ name, type: 'string', jsonPath });
  return [
    column('Phase', '.status.phase'),
    column('Active', '.status.active.color'),
    column('Revision', '.status.revision'),
    column('Candidate', '.status.candidate.revision'),
    column('Ready', '.status.conditions[?(@.type=="Ready")].status'),
    column('Message', '.status.message'),
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ];
}

export function rootSchema(): Structural {
  return {
    description:
      'A blue-green release: two complete environments of one application, and the proven move of traffic between them.',
    type: 'object',
    'x-kubernetes-validations': [...rootRules],
    required: ['spec'],
    properties: {
      apiVersion: { description: 'The version of this schema.', type: 'string' },
      kind: { description: 'The kind of this object.', type: 'string' },
      metadata: { type: 'object' },
      spec: fromZod(specSchema, 'spec'),
      status: fromZod(statusSchema, 'status'),
    },
  };
}

/** `input`: what people write, so that a member with a default is not required. */
function fromZod(schema: z.ZodType, path: string): Structural {
  return structural(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' }) as JsonSchema, path);
}

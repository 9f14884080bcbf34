import { expect } from 'chai';
import { customResourceDefinition, rootSchema } from '../../../src/api/crd.ts';
import { patternInWords } from '../../../src/api/patterns.ts';
import { type Structural, structural } from '../../../src/api/structural.ts';

/** Every node of a schema with its path. */
function nodes(node: Structural, path = ''): [string, Structural][] {
  return [
    [path, node],
    ...Object.entries(node.properties ?? {}).flatMap(([name, member]) => nodes(member, `${path}.${name}`)),
    ...(node.items ? nodes(node.items, `${path}[]`) : []),
    ...(node.additionalProperties ? nodes(node.additionalProperties, `${path}.*`) : []),
  ];
}

const all = nodes(rootSchema());
const at = (path: string): Structural | undefined => all.find(([other]) => other === path)?.[1];
/** The object metadata is the API server's own; a list's item is described by the list. */
const ours = all.filter(([path]) => path !== '.metadata');
const where = (found: (node: Structural) => boolean): string[] =>
  ours.filter(([, node]) => found(node)).map(([path]) => path);

describe('the CustomResourceDefinition', () => {
  const { metadata, spec } = customResourceDefinition();
  const [version] = spec.versions;

  it('has the names that people type', () => {
    expect(metadata.name).to.equal('bluegreenreleases.bluegreen.dev');
    expect(spec.names).to.deep.equal({
      kind: 'BlueGreenRelease',
      listKind: 'BlueGreenReleaseList',
      plural: 'bluegreenreleases',
      singular: 'bluegreenrelease',
      shortNames: ['bgr'],
      categories: ['bluegreen'],
    });
  });

  it('shows phase, active side, revision, candidate, readiness, message and age', () => {
    expect(
      version?.additionalPrinterColumns.map(({ name, jsonPath }) => `${name} ${jsonPath}`),
    ).to.deep.equal([
      'Phase .status.phase',
      'Active .status.active.color',
      'Revision .status.revision',
      'Candidate .status.candidate.revision',
      'Ready .status.conditions[?(@.type=="Ready")].status',
      'Message .status.message',
      'Age .metadata.creationTimestamp',
    ]);
  });

  it('has a status that only the operator writes, and can be scaled', () => {
    expect(version?.subresources).to.deep.equal({
      status: {},
      scale: {
        specReplicasPath: '.spec.replicas',
        statusReplicasPath: '.status.replicas',
        labelSelectorPath: '.status.selector',
      },
    });
  });

  it('gives every node a type, but those that are an integer or a string', () => {
    expect(where((node) => node.type === undefined)).to.deep.equal([
      '.spec.podDisruptionBudget.minAvailable',
      '.spec.podDisruptionBudget.maxUnavailable',
      '.spec.capacity.candidate',
      '.spec.capacity.window',
      '.spec.capacity.standby',
    ]);
  });

  it('keeps what is a number or a percentage without the types inside that the API server forbids', () => {
    expect(at('.spec.capacity.standby')).to.deep.equal({
      description: 'Pods the old side keeps after the rollback window, of those the active side has now.',
      default: 0,
      'x-kubernetes-int-or-string': true,
      'x-kubernetes-validations': [
        {
          rule: "type(self) == int ? self >= 0 && self <= 10000 : self.matches('^(0|[1-9][0-9]{0,2}|1000)%$')",
          message: 'a number of pods from 0 to 10000, or a percentage such as "100%"',
        },
      ],
    });
  });

  it('leaves embedded objects to the API server itself', () => {
    const preserved = where((node) => node['x-kubernetes-preserve-unknown-fields'] === true);
    expect(preserved).to.deep.equal([
      '.spec.workload.deployment.spec',
      '.spec.workload.deployment.spec.template',
      '.spec.workload.deployment.spec.template.spec',
      '.spec.autoscaling.spec',
      '.spec.gates[].job',
    ]);
    expect(at('.spec.autoscaling.spec')).to.deep.equal({
      description: 'The spec of an autoscaling/v2 HorizontalPodAutoscaler without scaleTargetRef.',
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
    });
  });

  it('bounds every string and every list, or the cost of the rules would be without bound', () => {
    const unbounded = (node: Structural) =>
      (node.type === 'string' && node.maxLength === undefined && node.enum === undefined) ||
      (node.type === 'array' && node.maxItems === undefined);
    expect(where(unbounded)).to.deep.equal(['.apiVersion', '.kind']);
  });

  it('gives integers the width of their bounds and says nothing of those of JavaScript', () => {
    expect(at('.spec.replicas')).to.include({ format: 'int32', minimum: 1, maximum: 10_000 });
    expect(at('.status.observedGeneration')).to.include({ format: 'int64', minimum: 0 });
    expect(where((node) => Math.abs(node.maximum ?? 0) >= 2 ** 31)).to.deep.equal([]);
  });

  it('keys every list of named things, so that two writers can own two entries', () => {
    const lists = where((node) => node.type === 'array' && node.items?.properties?.name !== undefined);
    expect(lists.filter((path) => path.startsWith('.spec'))).to.deep.equal([
      '.spec.config.configMaps',
      '.spec.config.secrets',
      '.spec.traffic.services',
      '.spec.traffic.previewServices',
      '.spec.traffic.endpoint.restart',
      '.spec.gates',
      '.spec.observation.checks',
    ]);
    for (const path of lists.filter((path) => path.startsWith('.spec'))) {
      expect(at(path), path).to.deep.include({
        'x-kubernetes-list-type': 'map',
        // A Deployment and a StatefulSet may have one name.
        'x-kubernetes-list-map-keys': path.endsWith('.restart') ? ['kind', 'name'] : ['name'],
      });
    }
  });

  it('says of every field what it is', () => {
    const silent = where((node) => node.description === undefined);
    expect(silent.filter((path) => !path.endsWith('[]') && !path.endsWith('.*'))).to.deep.equal([]);
  });

  it('has words for every pattern', () => {
    const worded = (pattern: string) => patternInWords(pattern) !== `text that matches ${pattern}`;
    expect(where((node) => node.pattern !== undefined && !worded(node.pattern))).to.deep.equal([]);
  });
});

describe('a structural schema', () => {
  it('refuses a keyword that the API server would not take, and says where', () => {
    const schema = {
      type: 'object',
      properties: { a: { anyOf: [{ type: 'string' }, { type: 'integer' }] } },
    };
    expect(() => structural(schema, 'spec')).to.throw('spec.a: a structural schema has no place for anyOf');
  });

  it('keeps the type of the values of a map', () => {
    const schema = {
      type: 'object',
      propertyNames: {},
      additionalProperties: { type: 'string', maxLength: 9 },
    };
    expect(structural(schema, 'spec')).to.deep.equal({
      type: 'object',
      additionalProperties: { type: 'string', maxLength: 9 },
    });
    const mixed = { type: 'object', additionalProperties: { anyOf: [] } };
    expect(() => structural(mixed, 'spec')).to.throw('spec.*: a structural schema has no place for anyOf');
  });

  it('drops what the API server does by itself', () => {
    const schema = { $schema: 'x', type: 'object', additionalProperties: false, properties: {} };
    expect(structural(schema, 'spec')).to.deep.equal({ type: 'object', properties: {} });
  });
});

import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parse, parseAllDocuments } from 'yaml';
import { parseRelease } from '../../../src/api/parse.ts';

const examples = new URL('../../../examples/', import.meta.url);
const stored = new URL('./stored/', import.meta.url);
const read = (folder: URL, name: string): string => readFileSync(new URL(name, folder), 'utf8');
const releases = (folder: URL): string[] => readdirSync(folder).filter((name) => name.endsWith('.yaml'));

describe('the examples', () => {
  for (const name of releases(examples)) {
    it(`${name} is a release`, () => {
      const objects = parseAllDocuments(read(examples, name)).map((document) => document.toJS());
      const release = objects.find(({ kind }) => kind === 'BlueGreenRelease');
      expect(parseRelease(release)).to.include({ ok: true });
    });
  }

  it('the smallest one has eight lines', () => {
    expect(read(examples, 'minimal.yaml').trimEnd().split('\n')).to.have.length(8);
  });

  it('the full one has every member of a spec but replicas, which the autoscaler stands for', () => {
    const { spec } = parse(read(examples, 'full.yaml'));
    expect(Object.keys(spec).sort()).to.deep.equal([
      'autoscaling',
      'capacity',
      'config',
      'gates',
      'historyLimit',
      'observation',
      'podDisruptionBudget',
      'preparation',
      'rollback',
      'suspend',
      'traffic',
      'workload',
    ]);
  });
});

/** Once released, a file in stored/ is never changed: clusters hold such objects. New versions add files. */
describe('an object that an older operator stored', () => {
  for (const name of releases(stored)) {
    it(`${name} still parses, its status included`, () => {
      const object = parse(read(stored, name));
      const result = parseRelease(object);
      expect(result).to.include({ ok: true });
      expect(result.ok && result.release.status).to.deep.equal(object.status);
    });
  }

  it('loses the members that this operator does not know', () => {
    const object = parse(read(stored, 'v0.1.0-everything.yaml'));
    object.spec.traffic.mirror = { percent: 5 };
    const result = parseRelease(object);
    expect(result.ok && result.release.spec.traffic).not.to.have.property('mirror');
  });
});

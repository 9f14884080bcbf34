/** Runs after the other stories: files run in the order of their names, and this one looks at what they left in the audit log. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseAllDocuments } from 'yaml';
import { describeRequest, requestsOfOperator } from './audit-log.ts';
import { useStage } from './stage.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const manifests = ['operator-rbac.yaml', 'secrets-rbac.yaml'].map((file) =>
  join(import.meta.dirname, '../../deploy/kustomize', file),
);

/** Why a right may be there although no story used it; the first that matches speaks. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/^list /, 'a watch that the server does not let begin with what there is lists it first'],
  [
    /^get (deployments|horizontalpodautoscalers|poddisruptionbudgets|services|controllerrevisions|jobs)\./,
    'tells whose an object is that has a name which is needed',
  ],
  [/^(create|update|delete) poddisruptionbudgets/, 'spec.podDisruptionBudget'],
  [/^update deployments/, 'a colour that is built anew'],
  [/^delete controllerrevisions/, 'spec.historyLimit'],
  [/^patch events/, 'an event that happens again counts up'],
];

describe('The rights of the operator', () => {
  const stage = useStage();

  it('suffice: not one of its requests was refused', () => {
    const requests = requestsOfOperator(stage().cluster.auditLog);
    expect(requests.length).to.be.greaterThan(10);
    const refused = requests.filter(({ code }) => code === 403 || code === 401);
    expect(refused.map(describeRequest)).to.deep.equal([]);
    console.log(`      ${requests.length} requests`);
  });

  it('are told apart: those that the stories used, and those that they did not', () => {
    const requests = requestsOfOperator(stage().cluster.auditLog);
    const used = new Set(requests.map(({ group, resource, verb }) => `${verb} ${resource}.${group}`));
    const unused = granted().filter((right) => !used.has(right));
    console.log(`      used: ${granted().length - unused.length} of ${granted().length}`);
    for (const right of unused) console.log(`      not used: ${right} (${reasonOf(right)})`);
  });

  function reasonOf(right: string): string {
    return REASONS.find(([pattern]) => pattern.test(right))?.[1] ?? 'nothing asks for it: it could go';
  }

  function granted(): string[] {
    return manifests
      .flatMap((manifest) => parseAllDocuments(readFileSync(manifest, 'utf8')))
      .flatMap((document) => (document.toJS().rules ?? []) as Rule[])
      .flatMap(({ apiGroups, resources, verbs }) =>
        apiGroups.flatMap((group) =>
          resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}.${group}`)),
        ),
      );
  }
});

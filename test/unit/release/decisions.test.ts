/**
 * What is decided and said in each situation, to the letter: `decisions.golden`, for a reviewer to read. A change of
 * behaviour is a change of that file: `UPDATE_GOLDEN=1 npm run test:unit` writes it anew.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import type { ReleaseStatus } from '../../../src/api/status.ts';
import { formatTime } from '../../../src/api/time.ts';
import type { Effect, Request } from '../../../src/release/plan.ts';
import { type Decided, decided } from './decided.ts';
import { PICTURES } from './pictures.ts';

const FILE = new URL('decisions.golden', import.meta.url);

function effect(one: Effect, told: string): string {
  if (one.kind === 'PatchSelector')
    return `${told} (${one.mark ? `${one.mark.revision}/${one.mark.attempt} ${one.mark.direction}` : 'no mark'}${one.rescue ? ', rescue' : ''}: ${one.reason})`;
  if (one.kind === 'RecordFacts' || one.kind === 'CreateRevision')
    return `${told} ${JSON.stringify(one.facts)}`;
  return told;
}

function request(one: Request): string {
  if (one.kind === 'Preflight') return `Preflight ${one.key}`;
  if (one.kind === 'WarmUp' || one.kind === 'Scrape')
    return `${one.kind} ${one.pod} of ${one.revision} on ${one.color}`;
  return `Measure ${one.check.name} of ${one.revision} on ${one.color} in attempt ${one.attempt}`;
}

const inWords = (members: object = {}): string =>
  Object.entries(members)
    .map(([name, value]) => ` ${name} ${Array.isArray(value) ? value.join(', ') : value}`)
    .join('');

/** What the status says beside its conditions. */
function shown({
  switch: moved,
  history = [],
  rejected = [],
  decisions = [],
  ...status
}: ReleaseStatus): string[] {
  const { observedGeneration, attempt, revision, replicas, selector } = status;
  const { active, candidate, standby, rollback, idleCost } = status;
  const sides = { active, candidate, standby, idleCost, rollback };
  const { services = [], endpoint: _, ...move } = moved ?? {};
  return [
    `  shows ${inWords({ observedGeneration, attempt, revision, replicas, selector })}`,
    ...Object.entries(sides).flatMap(([name, side]) => (side ? [`         ${name}:${inWords(side)}`] : [])),
    ...(moved === undefined ? [] : [`  moved ${inWords(move)}`]),
    ...services.map((service) => `        ${inWords(service)}`),
    ...rejected.map((each) => `  never ${inWords(each)}`),
    ...history.map((each) => `  past  ${inWords(each)}`),
    ...decisions.map((each) => `  noted ${inWords(each)}`),
  ];
}

function told(name: string, { plan, effects }: Decided): string {
  const { verdict, status, lookAgainAt } = plan;
  const { phase, reason, message, stalled, specPending, gates = [] } = verdict;
  const flags = `${stalled ? ', stalled' : ''}${specPending ? ', spec pending' : ''}`;
  return [
    `== ${name}`,
    `[${phase}] ${reason}${flags}: ${message}`,
    ...plan.effects.map((one, index) => `  does   ${effect(one, effects[index] ?? '')}`),
    ...plan.requests.map((one) => `  asks   ${request(one)}`),
    ...gates.map((gate) => `  gate   ${gate.name} ${gate.state}: ${gate.message}`),
    ...(status.checks ?? []).map(
      (check) => `  check  ${check.name} ${check.state}: ${check.message ?? 'not measured yet'}`,
    ),
    ...(status.conditions ?? []).map(
      (each) => `  is     ${each.type} ${each.status} ${each.reason}: ${each.message}`,
    ),
    ...shown(status),
    ...(lookAgainAt === undefined ? [] : [`  looks again at ${formatTime(lookAgainAt)}`]),
    '',
  ].join('\n');
}

describe('what is decided in each situation', () => {
  const golden = new Map(
    readFileSync(FILE, 'utf8')
      .split(/^(?=== )/m)
      .map((part) => [part.slice(3, part.indexOf('\n')), part]),
  );
  const texts: string[] = [];

  for (const [name, picture] of Object.entries(PICTURES))
    it(name, () => {
      const text = told(name, decided(picture));
      texts.push(text);
      if (!process.env.UPDATE_GOLDEN)
        expect(text, 'UPDATE_GOLDEN=1 writes it anew').to.equal(golden.get(name));
    });

  it('has nothing that no situation leads to', () => {
    if (process.env.UPDATE_GOLDEN) writeFileSync(FILE, texts.join(''));
    else expect([...golden.keys()]).to.deep.equal(Object.keys(PICTURES));
  });
});

/** Selectors, marks and the proof of a switch. */
import type { Sabotage } from '../sabotage.ts';
import { UNGUARDED } from './unguarded.ts';

const APPLY = 'src/controller/apply/services.ts';
const ROLES = 'src/release/roles.ts';
const ENDPOINTS = 'src/release/endpoints.ts';

export const TRAFFIC: readonly Sabotage[] = [
  {
    name: 'mark-in-a-second-patch',
    invariant: 8,
    kinds: ['crashes'],
    breaks: 'The switch annotation is written in a patch of its own, after the selector.',
    file: APPLY,
    find: `      : setMembers('/metadata/annotations', annotations, marks)),
  ];`,
    replace: `      : []),
  ];
  if (marks !== undefined)
    return patchService(applier, scene, effect.service, operations).then(() =>
      patchService(applier, scene, effect.service, setMembers('/metadata/annotations', annotations, marks)),
    );`,
  },
  {
    name: 'mark-ignored',
    invariant: 7,
    kinds: ['calm'],
    breaks: 'What the switch annotation says is not read.',
    file: ROLES,
    find: 'const command = commandOf(snapshot, started);',
    replace: 'const command = commandOf({ ...snapshot, services: [] }, started);',
  },
  {
    name: 'mark-alone-proves',
    invariant: 7,
    kinds: ['backups'],
    breaks: 'Any mark of ours is progress, whatever the facts say: a restored backup moves the traffic.',
    file: ROLES,
    find: '    if (!isConfirmed(mark, revision, started, switchedAt)) continue;\n',
    replace: '',
  },
  {
    name: 'drift-left-alone',
    invariant: 7,
    kinds: ['drift'],
    breaks: 'A selector that somebody edited stays so.',
    file: 'src/release/decide.ts',
    find: '[deleting, rescue, serveAgain, align, act, split, byStage]',
    replace: '[deleting, rescue, serveAgain, act, split, byStage]',
  },
  {
    name: 'drift-repaired-into-the-dark',
    invariant: 1,
    kinds: ['pointed', 'dying'],
    breaks: 'A selector is put back to a side without ready pods while another one serves.',
    file: 'src/release/effects.ts',
    find: 'return !service.twins[color].endpoints',
    replace: 'return color.length === 0 && !service.twins[color].endpoints',
    also: [UNGUARDED],
  },
  {
    name: 'verified-with-foreign-endpoints',
    invariant: 9,
    kinds: ['sluggish'],
    breaks: 'A switch counts as proven while pods of the other side are still behind the Service.',
    file: ENDPOINTS,
    find: 'converged: foreign === 0 && ready >= wanted',
    replace: 'converged: ready >= wanted',
  },
  {
    name: 'verified-without-endpoints',
    invariant: 9,
    kinds: ['sluggish'],
    breaks: 'A switch counts as proven while no pod of the new side is behind the Service.',
    file: ENDPOINTS,
    find: 'converged: foreign === 0 && ready >= wanted',
    replace: 'converged: true',
  },
  {
    name: 'verified-means-one-more',
    invariant: 11,
    kinds: ['calm'],
    breaks: '`>` for `>=`: a switch that brought all pods is never proven.',
    file: ENDPOINTS,
    find: 'converged: foreign === 0 && ready >= wanted',
    replace: 'converged: foreign === 0 && ready > wanted',
  },
  {
    name: 'selector-without-precondition',
    invariant: 8,
    kinds: ['stale'],
    breaks: 'A stale cache is trusted: the selector is patched whatever it is now.',
    file: APPLY,
    find: `    test('/spec/selector', effect.from),
    testMark(effect.expectedMark, service.metadata),
    ...(effect.color === undefined
`,
    replace: `    ...(effect.color === undefined
`,
  },
  {
    name: 'marks-older-than-facts',
    invariant: 8,
    kinds: ['two'],
    breaks: 'A stale cache is trusted: a mark whose facts were not heard of yet is taken for drift.',
    file: 'src/controller/revisions.ts',
    find: 'if (explainsMarks(carriers, known)) return known;',
    replace: 'if (known !== undefined || explainsMarks(carriers, known)) return known;',
  },
  {
    name: 'finalizer-goes-first',
    invariant: 8,
    kinds: ['deletedApart', 'deleted'],
    breaks: 'A release that is deleted lets go before what it made is put away.',
    file: 'src/release/stages/deleting.ts',
    find: `effects: [...effects, { kind: 'RemoveFinalizer' }]`,
    replace: `effects: [{ kind: 'RemoveFinalizer' }, ...effects]`,
    also: [UNGUARDED],
  },
  {
    name: 'deletion-takes-what-serves',
    invariant: 3,
    kinds: ['deletedApart'],
    breaks: 'With the release goes the colour that has the traffic.',
    file: 'src/release/stages/deleting.ts',
    find: 'standing.filter((color) => snapshot.services.some(',
    replace: 'standing.filter((color) => color.length === 0 && snapshot.services.some(',
    also: [UNGUARDED],
  },
  {
    name: 'owned-colour',
    invariant: 3,
    kinds: ['deleted', 'deletedApart'],
    breaks: 'A colour has an owner reference: with the release goes what serves.',
    file: 'src/workload/render.ts',
    find: '...(Object.keys(annotations).length > 0 && { annotations }),',
    replace:
      'ownerReferences: [{ apiVersion: API_VERSION, kind: KIND, name: release.name, uid: release.uid, controller: true }],',
  },
  {
    name: 'adoption-dead-and-left-so',
    invariant: 12,
    kinds: ['adoption'],
    breaks:
      'The colour dies while its adoption is proven, and the source, which stands by, does not serve again.',
    file: 'src/release/stages/adopting.ts',
    find: 'if (servingCount(snapshot) > 0 ||',
    replace: 'if (subject !== undefined ||',
  },
];

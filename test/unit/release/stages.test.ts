/** A stage that nothing is under way in: `decide` never asks it, and it must harm nobody if it did. */
import { expect } from 'chai';
import type { Verdict } from '../../../src/release/plan.ts';
import { type Roles, rolesOf } from '../../../src/release/roles.ts';
import type { Snapshot } from '../../../src/release/snapshot.ts';
import { observing } from '../../../src/release/stages/observing.ts';
import { preparing } from '../../../src/release/stages/preparing.ts';
import { publishing } from '../../../src/release/stages/publishing.ts';
import { restarting, restartingBack } from '../../../src/release/stages/restarting.ts';
import { returning } from '../../../src/release/stages/returning.ts';
import { switching } from '../../../src/release/stages/switching.ts';
import { fresh, idle, started } from './situations.ts';
import { type Picture, world } from './world.ts';

type Stage = (snapshot: Snapshot, roles: Roles) => Verdict;

describe('a stage that is asked out of its turn does nothing', () => {
  /** A revision was started, and no switch was ordered. */
  const begun: Picture = { ...started, route: undefined, mark: undefined };
  const table: [string, Stage, Picture, Verdict['phase'], string][] = [
    ['preparing', preparing, fresh, 'Idle', 'no release is under way'],
    ['switching', switching, fresh, 'Switching', 'no switch is under way'],
    ['switching, not ordered', switching, begun, 'Switching', 'no switch is under way'],
    ['restarting', restarting, fresh, 'Switching', 'no switch is under way'],
    ['restarting, not ordered', restarting, begun, 'Switching', 'no switch is under way'],
    ['observing', observing, fresh, 'Observing', 'nothing is watched'],
    ['returning', returning, fresh, 'RollingBack', 'no rollback is under way'],
    ['returning, and nobody lost', returning, idle, 'RollingBack', 'no rollback is under way'],
    ['restarting back', restartingBack, fresh, 'RollingBack', 'no rollback is under way'],
    ['restarting back, and nobody lost', restartingBack, idle, 'RollingBack', 'no rollback is under way'],
    ['publishing', publishing, fresh, 'Adopting', 'nothing is begun'],
  ];
  for (const [name, stage, picture, phase, message] of table) {
    it(name, () => {
      const snapshot = world(picture);
      expect(stage(snapshot, rolesOf(snapshot))).to.deep.equal({ phase, reason: 'Nothing', message });
    });
  }
});

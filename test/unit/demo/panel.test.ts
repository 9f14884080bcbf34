import { stripVTControlCharacters } from 'node:util';
import { expect } from 'chai';
import { panel, wrap } from '../../demo/panel.ts';
import { addRow, newScene, type Scene } from '../../demo/scene.ts';

function observingScene(): Scene {
  const scene = newScene(0);
  scene.title = 'Kubernetes v1.36.3';
  scene.step = 'Releasing v3';
  scene.release = {
    phase: 'Observing',
    message:
      'revision r3 (blue) has the traffic and is watched until 2026-11-21T08:32:27Z; check "errors" has not been measured yet',
  };
  Object.assign(scene.sides, {
    source: { version: 'v3', revision: undefined, ready: 0, desired: 0 },
    blue: { version: 'v3', revision: 'r3', ready: 3, desired: 3 },
    green: { version: 'v2', revision: 'r2', ready: 2, desired: 3 },
  });
  Object.assign(scene.colorOf, { v2: 'green', v3: 'blue' });
  scene.selected = 'blue';
  addRow(scene, {
    second: 90,
    due: 100,
    sent: 100,
    answers: { new: { v2: { 200: 10 }, v3: { 200: 32, 500: 8 } }, kept: { v2: { 200: 50 } } },
    connectionErrors: { new: 0, kept: 0 },
    timeouts: { new: 0, kept: 0 },
    notSent: 0,
  });
  return scene;
}

const draw = (scene: Scene): string[] =>
  panel(scene, { now: 95_000, width: 80 }).map((line) => stripVTControlCharacters(line).trimEnd());

describe('the panel', () => {
  it('shows the step while there is nothing else to show', () => {
    const scene = newScene(0);
    scene.step = 'Bringing up a cluster';
    scene.progress = 'building kubelet';
    expect(draw(scene)).to.deep.equal([
      '',
      ' Blue-green, start to finish                                              01:35',
      '',
      ' ⠋ Bringing up a cluster',
      '   building kubelet',
      '',
    ]);
  });

  it('shows phase, what is waited for, pods of each side, and where traffic goes', () => {
    expect(draw(observingScene()).slice(3)).to.deep.equal([
      ' ⠋ Releasing v3',
      '',
      ' Observing    revision r3 (blue) has the traffic and is watched until',
      '              2026-11-21T08:32:27Z; check "errors" has not been measured yet',
      '',
      '   side     version  revision  ready pods',
      ' ○ shop     v3                       0/0     the Deployment that people edit',
      ' ● blue     v3       r3        ■■■   3/3     takes the traffic',
      ' ○ green    v2       r2        ■■□   2/3     stands by',
      '',
      '   answers in the last second',
      '   new connections   ████████████████████████████████████████  v2 10/s  v3 40/s, 8 of them errors',
      '   kept connections  ████████████████████████████████████████  v2 50/s',
      '',
      '   100 requests  ·  0 failed  ·  8 errors that v3 sent on purpose',
      '',
    ]);
  });

  it('draws each version in the colour of its side, and errors in red', () => {
    const line = panel(observingScene(), { now: 0, width: 80 }).find((each) =>
      each.includes('new connections'),
    );
    const green = '\u001b[32m████████\u001b[39m';
    const blue = '\u001b[34m██████████████████████████\u001b[39m';
    const red = '\u001b[31m██████\u001b[39m';
    expect(line).to.include(`${green}${blue}${red}`);
  });

  it('lists what happened, the latest last, and leaves out the phases that it shows anyway', () => {
    const scene = newScene(0);
    for (let i = 1; i <= 12; i++) scene.moments.push({ at: 0, kind: 'step', text: `step ${i}` });
    scene.moments.push({ at: 0, kind: 'phase', text: 'Preparing: waiting' });
    const listed = draw(scene).flatMap((line) => /step \d+$/.exec(line)?.[0] ?? []);
    expect(listed).to.deep.equal([4, 5, 6, 7, 8, 9, 10, 11, 12].map((i) => `step ${i}`));
  });

  it('marks a message that is longer than its two lines', () => {
    const scene = observingScene();
    scene.release = { phase: 'Held', message: 'word '.repeat(40) };
    expect(draw(scene)[6]).to.match(/word word…$/);
  });

  it('has the same height for a short message as for a long one', () => {
    const scene = observingScene();
    const before = draw(scene).length;
    scene.release = { phase: 'Idle', message: 'at rest' };
    expect(draw(scene)).to.have.length(before);
  });
});

it('text is wrapped at words', () => {
  expect(wrap('one two three four', 9)).to.deep.equal(['one two', 'three', 'four']);
});

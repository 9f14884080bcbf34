import { availableParallelism } from 'node:os';
import { expect } from 'chai';
import { coverageOf } from './coverage.ts';
import type { Level } from './faults.ts';
import type { Focus } from './focus.ts';
import { freshSeed } from './fresh-seed.ts';
import { live } from './life.ts';
import { MANY_MOMENTS } from './moments.ts';
import { createPool, type Pool } from './pool.ts';
import { createRandom } from './random.ts';
import { runLives, story } from './run.ts';
import { MOST_SEED, PLAIN_SEEDS } from './scenario.ts';
import { shrink } from './shrink.ts';

/** Seeds of lives in which a promise was broken once, by the product or by the model of the cluster. */
const FAILED_ONCE: readonly (readonly [number, Level, string])[] = [
  [198, 'mild', 'two processes at once: the mark of a switch was seen before its proof, and undone'],
  [39, 'mild', 'production was scaled to 0 with an autoscaler, and nobody brought it back'],
  [1029, 'harsh', 'two processes at once wrote each other’s measurements away, for ever'],
  [1047, 'harsh', 'two processes at once began two revisions under one attempt'],
  [1061, 'harsh', 'a version that had died was tried again and again'],
  [29394344, 'mild', 'production had no ready endpoint at rest'],
  [951000483, 'harsh', 'production had no ready endpoint at rest'],
  [535180110, 'harsh', 'a Service restored from a backup was put back to a side that was dead'],
  [585445518, 'harsh', 'a standby whose window is over was taken for one that may take over'],
  [100149, 'harsh', 'a candidate that had passed its gates went on although something newer was wished for'],
  [100166, 'harsh', 'a rollback target that somebody had edited was written anew, a while later'],
  [200018, 'hostile', 'a second process ordered a way back of what the first had just committed'],
  [2064, 'harsh', 'the Service had lost its key while the active side was dead'],
  [2067, 'harsh', 'the source was parked while there was no Service'],
  [3006, 'hostile', 'an adoption beside what an earlier release of that name had left was refused for ever'],
  [3034, 'hostile', 'a Service that was replaced during a rollback was never heard of again'],
  [
    13002,
    'hostile',
    'the source was left at 0 by a release that was deleted, and could not be adopted again',
  ],
  [291301561, 'harsh', 'a Service of a release that is gone selected by pod-template-hash still'],
  [700000074, 'harsh', 'and the next release could not adopt it'],
  [1827539180, 'harsh', 'two processes wrote each other’s refusals out of the status, for ever'],
  [700000028, 'harsh', 'pods that stood beside replaced ones were taken for the rollback target'],
  [
    700000368,
    'harsh',
    'a drift in the middle of an adoption was taken for a switch whose connections must drain',
  ],
  [
    710000014,
    'harsh',
    'two processes wrote each other’s refusals of a preview Service out of the status, for ever',
  ],
  [710000085, 'harsh', 'a switch that a policy split was never tried on, because no side could take it back'],
  [720000064, 'harsh', 'a selector put back soon after that of another Service stood in no decision log'],
  [720000497, 'harsh', 'a way back that a policy held up was taken for a selector astray'],
  [
    740000091,
    'harsh',
    'a Service that a policy had kept was not tried again while an order to go back waited',
  ],
  [31004, 'hostile', 'an adoption was refused for keys of two sides, neither of which existed'],
  [
    3058,
    'hostile',
    'a key of a side that never existed stayed on a Service, while nothing ran that could be adopted',
  ],
  // And a candidate that another process had just switched to was given up, and its switch taken for drift.
  [700000283, 'harsh', 'a colour was deleted that another process had just given the traffic'],
  [
    710000045,
    'harsh',
    'a switch was counted as proven while another process, whose clock had jumped, undid it',
  ],
  [
    720000061,
    'harsh',
    'pods of a candidate that a quota kept from being replaced were taken for the rollback target',
  ],
  [
    700000025,
    'harsh',
    'a Service that came back without its key in the middle of a switch was compared with both sides',
  ],
  [
    700000333,
    'harsh',
    'a Service that had lost our label was taken for dark, and put back to a side that was dead',
  ],
  [
    720000575,
    'harsh',
    'two processes that had measured different parts of a window wrote each other’s Healthy away, for ever',
  ],
  [
    740000199,
    'harsh',
    'a source got its autoscaler back while a colour went on serving, and both were switched off',
  ],
  [694349366, 'harsh', 'a side that another process had gone back to was shrunk as soon as that was undone'],
  [830000017, 'harsh', 'of two ways back the one of the older attempt was the later, and was undone'],
  // And a status told of a way back whose window had closed meanwhile.
  [910000078, 'harsh', 'a candidate waited for a dead side to take a Service back, which lost its key'],
  [
    910000164,
    'harsh',
    'a colour was removed earlier after its switch to the source than it drains, by that write',
  ],
  [
    910000252,
    'harsh',
    'a Service that Git had replaced kept what told of the switch when the release was gone',
  ],
  [
    910000282,
    'harsh',
    'a Service that had no mark yet was switched by a process that had not heard of the one it had got',
  ],
  // An error of the model: it took an autoscaler away that was the only one by then.
  [910000277, 'harsh', 'the source served again without its autoscaler'],
  // From here on with config, or with a Deployment that stands in the release.
  [
    3000000030,
    'harsh',
    'a colour whose copy was deleted could not be taken over, although people wrote the same still',
  ],
  [
    3000000206,
    'harsh',
    'an adoption went on for ever with a ConfigMap that was wrong, after people had put it right',
  ],
  [
    3000000405,
    'mild',
    'a Service that had lost its key was left to people, while the side it could go back to was all that served',
  ],
  [
    3000000571,
    'harsh',
    'a Service that somebody had just written to was let go by what had stood there before',
  ],
  [
    910000443,
    'harsh',
    'a Service of a release that is gone got its mark again from a process that had not heard',
  ],
  [
    910000379,
    'harsh',
    'a source that died while it was held kept what people had written since, and nothing served',
  ],
  [3000000554, 'harsh', 'a crash where an adoption began anew left a release that had lost its revisions'],
  [3000000693, 'harsh', 'and where the config of what runs was read again'],
  // An error of the oracle: who has let go of a release writes no status any more.
  [3000000607, 'harsh', 'a release that a foreground delete kept for a moment did not tell of its end'],
  // An error of the oracle: an edited colour names no copy any more.
  [3000000072, 'harsh', 'a copy was left of a colour that somebody had edited'],
  // And another: where both colours go on serving, a source that people scale up has no autoscaler. Later: a crash after
  // the twins were removed left a release that was deleted waiting for ever.
  [3000000152, 'harsh', 'a source that people had scaled up beside two colours had no autoscaler'],
  [
    3695707113,
    'mild',
    'a switch cut in half by a crash was finished with a quarter of the pods that production had by then',
  ],
  [
    2292159371,
    'harsh',
    'a first revision that died before its proof kept what people wished for since waiting',
  ],
  [930000162, 'hostile', 'a new process wrote that it asked about a release that waited for a pod to adopt'],
  [
    2009817600,
    'harsh',
    'a switch that was under way was taken for one that a crash had cut in half, and undone',
  ],
  // An error of the oracle: while nothing of an adoption is ready, a key that somebody put changes nothing.
  [930000172, 'hostile', 'a Service named a colour while neither it nor the source had a ready pod'],
  [930000161, 'hostile', 'a Service that is left astray told of a write of its twin that had failed once'],
  // An error of the oracle: a way back out of the dark waits for no drain.
  [1834463632, 'harsh', 'the target of a way back was built where a failed attempt drained'],
  [
    2602969388,
    'harsh',
    'a crash where an adoption began anew left a colour that reads what nobody brings back',
  ],
  [3000141767, 'hostile', 'and one that holds what was superseded'],
  [910002217, 'harsh', 'a way back was recorded where another process had just switched a Service'],
  [910002434, 'harsh', 'and where that was the second one of three'],
  [
    3000010716,
    'harsh',
    'a source that served again while it drained was put out of some Services, and ended too early',
  ],
  [910002911, 'harsh', 'a preview was put to the active side, of which no pod was ready'],
  [3000010656, 'harsh', 'an adoption went on with what ran nowhere any more'],
  [97, 'hostile', 'and with what was rolled out of the source before that was held'],
  [910002951, 'harsh', 'two processes wrote lines of each other out of the decision log'],
  // An error of the oracle: of patches side by side one takes longer, and a status that was decided before comes between.
  [910002827, 'harsh', 'a status did not tell of the first of three patches'],
  // Errors of the oracle: it judged by a Service that had come back after the release was gone; and twice by one that
  // was not there; and it counted what was behind the twin before.
  [910002073, 'harsh', 'a colour was left by a release that went while its Service could not be read'],
  [910002512, 'harsh', 'a way back was recorded while a Service was missing'],
  [3000010542, 'harsh', 'and the Service was that of which the oracle counts the endpoints'],
  [3000010552, 'harsh', 'pods of the revision before were not warmed up'],
  // An error of the oracle: that one Service was kept from going back is known for the others too.
  [4295072498, 'harsh', 'two of three Services went back, and the side that they left became ready again'],
  [
    7709359780,
    'harsh',
    'of seventeen effects the decision log named sixteen, and did not say that there was another one',
  ],
  // An error of the oracle: an operator hears a moment later that a pod is ready no more.
  [4807122960, 'harsh', 'the source got the traffic back just when its only pod had run out of memory'],
  // Errors of the model: a container that crashes, or whose probe fails, reads its ConfigMap anew when it begins again.
  [2430254417, 'harsh', 'a source that crashed was never begun again with the config that people had mended'],
  [2821635372, 'harsh', 'and one that died after they had'],
  [2005632008, 'harsh', 'a pod of which only its endpoint was known got the traffic without a warm-up'],
  [910006711, 'harsh', 'a pod that was ended just after it became ready counted as ready again'],
  [
    3000015051,
    'harsh',
    'a way back that people had taken back waited for ever for a side that did not become ready',
  ],
  // Errors of the oracle: what one process decided is finished by the next, which finds it otherwise by then; and a pod
  // may have been ready for too short a time to be seen at the endpoints.
  [1557285161, 'harsh', 'a way back that a crash cut in half was finished when its cause was over'],
  [3000016728, 'harsh', 'a switch that a crash cut in half was finished where nothing could be gone back to'],
  [910005576, 'harsh', 'what ran was adopted just when its only pod ran out of memory'],
  // And then a fix waited for a way back that those pods kept shut.
  [
    910006322,
    'harsh',
    'production went back to a pod of another revision that only its endpoint called ready',
  ],
  [910005790, 'harsh', 'a colour at 0 was kept for a Service without a key when the release went'],
  // Errors of the oracle: what goes on serving was judged an hour after the release had gone; and nobody was left to
  // remove anything.
  [910005714, 'harsh', 'a colour was left that a Service had named until another writer came'],
  [3000015990, 'harsh', 'and one that served more than the source, which became ready later'],
  [3000015651, 'harsh', 'copies were left of a release whose finalizer people took away'],
  // An error of the oracle: production is what its weakest Service has.
  [
    1618820717,
    'harsh',
    'what stood beside replaced pods went when one of three slices told of fewer than the others',
  ],
  // And another: what one process has begun is finished by the next.
  [3866682813, 'harsh', 'a switch that a crash cut in half was finished after the release was suspended'],
  [910010214, 'harsh', 'a twin was deleted while its Service lost its key, and nobody put either back'],
  // An error of the oracle, which had asked one of three Services.
  [
    3687728749,
    'harsh',
    'a revision lost the traffic for what one Service told of its pods before the others',
  ],
  [756374625, 'harsh', 'an edited rollback target was made smaller while it was put right'],
  // Errors of the oracle: an operator hears a moment later that a pod has gone, or is ready again.
  [
    6142838082,
    'harsh',
    'what was gone back to had died, and had a ready pod again a moment before that was recorded',
  ],
  [6139033040, 'harsh', 'the same, and nobody was behind the Service who could have been a stranger'],
  [
    129549484,
    'harsh',
    'what stood beside replaced pods went a second time, when an autoscaler had brought it back',
  ],
  [
    8162187032,
    'harsh',
    'a side that another process had written over was written again before it had drained',
  ],
  [3691454928, 'harsh', 'a preview stayed with a dead side beside a Service that had lost its key'],
  [2364613365, 'harsh', 'and where Git had brought that Service back'],
  [2107029984, 'harsh', 'and where its key was taken again and again'],
  [
    4259257292,
    'harsh',
    'a side that somebody scaled in while it was watched was held for ever for its availability',
  ],
  [
    1412243043,
    'harsh',
    'the traffic was to go back for ever for a switch that was proven a moment after its time',
  ],
  // And the model told nothing new of the smaller ReplicaSets of a Deployment that is paused.
  [
    275357575,
    'harsh',
    'an adoption in the middle of a rollout waited for ever for a version of which no pod was left ready',
  ],
  [
    2819693504,
    'harsh',
    'an adoption waited for ever for a colour that had died of its config, after people had put that right',
  ],
  [
    6066227560,
    'harsh',
    'a colour that was gone was to go on serving for a Service that somebody deleted, and the source had no autoscaler',
  ],
  [
    6909410804,
    'harsh',
    'production went back to a side on which another process had just begun to build the next revision',
  ],
  [
    4470980636,
    'harsh',
    'a source was parked after its drain, although what took over had been deleted meanwhile',
  ],
  [3983835900, 'harsh', 'a copy that was deleted while a Service was astray and left so did not come back'],
  [
    196329130,
    'harsh',
    'a release that waited for people did not get the finalizer back that somebody had taken away',
  ],
  [
    4512671050,
    'harsh',
    'one process committed and emptied the old side, to which another, unheard, gave the traffic back',
  ],
  [
    4120954251,
    'mild',
    'an adoption that could not be built, with a config that had been spoilt meanwhile, kept what people wished for waiting',
  ],
  [3000012002, 'harsh', 'the same, beside a pod of the source in a crash loop'],
  // An error of the model: people did not do what only they can, and what the release told them to.
  [5654003346, 'harsh', 'an autoscaler that was given back to the source kept the next release waiting'],
  // An error of the oracle: it is what has to be done.
  [
    5009509544,
    'harsh',
    'a Service that a backup had put back to a removed colour was let go to the other one',
  ],
  [6791759332, 'harsh', 'the same of a release with its Deployment in it'],
];

/** A release is deleted, and mostly two processes are at work, which hear of it up to 20 seconds apart. */
const UNHEARD: Focus = {
  deleted: true,
  count: 2,
  faults: {
    mishapEvery: 30_000,
    lag: 20_000,
    callFails: 0.005,
    answerLost: 0.005,
    crash: 0.002,
    only: [
      'two operators work at once',
      'the operator is killed',
      'delete a twin',
      'replace the Service as Git has it',
      'delete the autoscalers',
      'delete a colour',
      'delete a copy',
      'delete the source, which Git brings back',
    ],
  },
};

/** People roll something out just before the release is created, and do more than in other lives. */
const ROLLING: Focus = { rollout: true, count: 4, faults: { deedEvery: 40_000, mishapEvery: 60_000 } };

/** A release of three versions that is deleted, and mostly created again. */
const ENDING: Focus = { deleted: true, count: 3 };
const ENDED_ONCE: readonly (readonly [number, string])[] = [
  [3000020044, 'at rest a new process told of another pod in trouble than the one before'],
  [3000020169, 'and two processes wrote each other’s pod away, for ever'],
  // Errors of the model and of the oracle.
  [3000020538, 'a copy was lost that no revision held'],
  [3000020681, 'a pod of an earlier release was taken for one of this release, by the name of its revision'],
];

/** An autoscaler takes pods from production and gives it some, while those of the old side are replaced. */
const SCALED: Focus = {
  replicas: 6,
  count: 5,
  versions: [{}, {}, { diesAfterMs: 60_000 }, { flaps: 'memory' }],
  spec: {
    autoscaling: { spec: { minReplicas: 1, maxReplicas: 10 } },
    capacity: { window: '100%', candidate: '100%' },
    rollback: { windowSeconds: 1800 },
    gates: [],
    traffic: { drainSeconds: 5 },
  },
};
// Errors of the oracle: pods of production that were being ended counted, since its slices told of them late.
const SCALED_ONCE: readonly (readonly [number, string])[] = [
  [1023, 'an old side became smaller while production did'],
  [1105, 'a pod of an old side was replaced while production became smaller'],
];

/** What took over dies, and people take the finalizer away, also of a release that they delete. */
const FORCED: Focus = {
  deleted: true,
  count: 2,
  versions: [{ diesAfterMs: 60_000 }],
  spec: { rollback: { windowSeconds: 30 }, observation: { seconds: 20, checks: [] } },
  faults: {
    deedEvery: 60_000,
    mishapEvery: 60_000,
    only: ['take the finalizer away', 'wish for the next version', 'the operator is killed'],
  },
};

/** Pods come and go while the source takes production back. */
const EVICTED: Focus = {
  replicas: 3,
  deleted: true,
  count: 2,
  faults: {
    mishapEvery: 4000,
    callFails: 0.005,
    answerLost: 0.005,
    crash: 0.002,
    only: ['a pod is evicted'],
  },
};
const CROWDED: Focus = {
  ...EVICTED,
  count: 3,
  faults: {
    ...EVICTED.faults,
    mishapEvery: 20_000,
    only: [
      'two operators work at once',
      'the operator is killed',
      'a pod is evicted',
      'a pod runs out of memory',
      'a node is lost',
      'the quota is exhausted',
    ],
  },
};
// Errors of the oracle: an operator hears a moment later that a pod has gone, and production is what its weakest Service has.
const HANDED_ONCE: readonly (readonly [number, Focus, string])[] = [
  [773103, EVICTED, 'a pod of the source was evicted just before it got the traffic'],
  [773116, EVICTED, 'and all of them'],
  [772074, CROWDED, 'one of three slices told of fewer pods than the others'],
];

/** Of each level. */
const LIVES = Number(process.env.SIMULATED_LIVES ?? 100);
/** And of the kinds of workload that came later. */
const OTHERS = Math.ceil(LIVES * 0.4);
const SEED = Number(process.env.SIMULATION_SEED ?? freshSeed());

describe(`a release in a model cluster (SIMULATION_SEED=${SEED})`, function () {
  this.timeout(900_000);

  for (const faults of ['mild', 'harsh'] as const) {
    it(`keeps every promise through ${LIVES} lives with ${faults} faults`, async () => {
      expect(await brokenOf(faults, LIVES, [1, PLAIN_SEEDS])).to.deep.equal({});
    });
  }

  for (const faults of ['mild', 'harsh'] as const) {
    it(`keeps every promise through ${OTHERS} lives with config or a Deployment of its own, with ${faults} faults`, async () => {
      expect(await brokenOf(faults, OTHERS, [PLAIN_SEEDS + 1, MANY_MOMENTS - 1])).to.deep.equal({});
    });
  }

  for (const faults of ['mild', 'harsh'] as const) {
    it(`keeps every promise through ${OTHERS} lives in which more happens in the rare moments, with ${faults} faults`, async () => {
      expect(await brokenOf(faults, OTHERS, [MANY_MOMENTS, MOST_SEED])).to.deep.equal({});
    });
  }

  for (const [failed, level, what] of FAILED_ONCE) {
    it(`does not fail again: ${what}`, async () => {
      const life = await live(failed, level);
      expect(life.violation, story(life)).to.equal(undefined);
    });
  }

  // Of the last ones: a copy was lost before the end, a way back was recorded too soon, lines of the decision log went, a
  // source that another process had parked was to serve again, and what the other had let go of or handed back was undone.
  const unheard = [3000001003, 3000001030, 3000001059, 3000001075, 3000001082, 3000002078, 3000002005];
  for (const seed of [...unheard, 3000005059, 3000005132, 1020, 3000030386, 3000030585]) {
    it(`leaves nothing behind when it is deleted, whoever has not heard that it is gone (${seed})`, async () => {
      const life = await live(seed, 'harsh', undefined, UNHEARD);
      expect(life.violation, story(life)).to.equal(undefined);
    });
  }

  for (const [seed, what] of ENDED_ONCE) {
    it(`does not fail again when it is deleted: ${what}`, async () => {
      const life = await live(seed, 'harsh', undefined, ENDING);
      expect(life.violation, story(life)).to.equal(undefined);
    });
  }

  for (const [seed, what] of SCALED_ONCE) {
    it(`does not fail again where production is scaled: ${what}`, async () => {
      const life = await live(seed, 'harsh', undefined, SCALED);
      expect(life.violation, story(life)).to.equal(undefined);
    });
  }

  for (const [seed, focus, what] of HANDED_ONCE) {
    it(`does not fail again where the source takes over: ${what}`, async () => {
      const life = await live(seed, 'harsh', undefined, focus);
      expect(life.violation, story(life)).to.equal(undefined);
    });
  }

  // An error of the oracle: nobody is left to put anything back.
  it('does not fail again: people ended a release by force while production was dead', async () => {
    const life = await live(67, 'harsh', undefined, FORCED);
    expect(life.violation, story(life)).to.equal(undefined);
  });

  it('does not fail again: what ran could not be built any more, and what people wished for waited', async () => {
    const life = await live(2991045971, 'harsh', undefined, ROLLING);
    expect(life.violation, story(life)).to.equal(undefined);
  });

  // An error of the model: people did not do what only they can, and what the release told them to.
  it('does not fail again: an autoscaler of the source came back while there was no release', async () => {
    const life = await live(4172492780, 'harsh', undefined, ROLLING);
    expect(life.violation, story(life)).to.equal(undefined);
  });

  it('the same seed is the same life, to the letter', async () => {
    const [first, second] = [await live(7, 'harsh'), await live(7, 'harsh')];
    expect(second).to.deep.equal(first);
    expect(first.trace.length).to.be.greaterThan(20);
  });

  it('and so is a run, whatever the number of threads, and each life of it played alone', async () => {
    const options = { seed: 5, releases: 40, faults: 'harsh' } as const;
    const [alone, together] = [
      await runLives({ ...options, threads: 1 }),
      await runLives({ ...options, threads: 2 }),
    ];
    expect(together).to.deep.equal(alone);
    const own = createRandom(5).between(1, MOST_SEED);
    const pool = createPool(1, 'harsh');
    const { trace: _, happened: __, ...inThread } = await pool.live(own);
    await pool.end();
    expect(await live(own, 'harsh')).to.deep.include(inThread);
  });

  it('without what did not matter it is told again, shorter', async () => {
    const life = await live(7, 'harsh');
    const calm = await live(7, 'harsh', new Set(life.happened));
    expect(calm.happened.filter((what) => life.happened.includes(what))).to.deep.equal([]);
    const { life: same, tried } = await shrink(life, 'harsh', 3);
    expect(same.violation).to.equal(undefined);
    expect(tried).to.be.within(1, 3);
    expect(same.happened.length).to.be.lessThan(life.happened.length);
  });

  it('a run ends with the first promise that is broken, or goes on and knows all lives in which one was', async () => {
    const life = await live(7, 'mild');
    const seeds: number[] = [];
    const play = (keepsGoing: boolean): ReturnType<typeof runLives> => {
      seeds.length = 0;
      const broken = (seed: number): string | undefined =>
        seeds.indexOf(seed) % 2 === 1 ? `promise ${seeds.indexOf(seed)}` : undefined;
      const pool: Pool = {
        live: async (seed) => {
          seeds.push(seed);
          return { ...life, seed, violation: broken(seed) };
        },
        end: async () => undefined,
      };
      return runLives({ seed: 5, releases: 4 * life.releases, faults: 'mild', threads: 1, pool, keepsGoing });
    };
    const stopped = await play(false);
    expect([stopped.totals.lives, stopped.broken?.seed]).to.deep.equal([2, seeds[1]]);
    expect(stopped.violations).to.deep.equal([{ life: seeds[1], violation: 'promise 1' }]);
    const whole = await play(true);
    expect([whole.totals.lives, whole.broken?.seed]).to.deep.equal([4, seeds[1]]);
    expect(whole.violations).to.deep.equal([
      { life: seeds[1], violation: 'promise 1' },
      { life: seeds[3], violation: 'promise 3' },
    ]);
  });

  it('says what it saw too little of', async () => {
    const { totals } = await runLives({ seed: 5, releases: 5, faults: 'mild', threads: 1 });
    const none = coverageOf({ ...totals, releases: 100_000, outcomes: new Map(), pairs: new Map() });
    expect(none.gaps.slice(0, 3)).to.deep.equal([
      'only 0 % of the releases were committed',
      'only 0 % were rolled back after a switch',
      'Idle/call failed came 0 times, fewer than 500',
    ]);
  });
});

/** The promises that are broken, by life. */
async function brokenOf(
  faults: Level,
  lives: number,
  [least, most]: readonly [number, number],
): Promise<Record<number, string>> {
  const seeds = createRandom(SEED);
  const pool = createPool(availableParallelism(), faults);
  try {
    const own = Array.from({ length: lives }, () => seeds.between(least, most));
    const played = await Promise.all(own.map((each) => pool.live(each)));
    return Object.fromEntries(
      played.flatMap(({ seed, violation }) => (violation === undefined ? [] : [[seed, violation]])),
    );
  } finally {
    await pool.end();
  }
}

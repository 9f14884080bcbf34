import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Config, ConfigError, loadConfig, watchConfig } from '../../src/config.ts';
import type { Clock } from '../../src/kube/clock.ts';
import type { Logger } from '../../src/kube/log.ts';

const SOURCE = 'metricSources: [{name: default, prometheus: {url: "http://prometheus:9090"}}]';

describe('the config file', () => {
  let directory: string;
  let file: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'config-'));
    file = join(directory, 'config.yaml');
  });

  afterEach(() => rm(directory, { recursive: true }));

  async function load(text: string): Promise<Config> {
    await writeFile(file, text);
    return loadConfig(file);
  }

  /** What the administrator reads, without the path of the file. */
  async function complaint(text: string): Promise<string> {
    const error = await load(text).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(ConfigError);
    return (error as ConfigError).message.replace(`${file}: `, '');
  }

  it('may be empty', async () => {
    expect(await load('')).to.deep.equal({ metricSources: [] });
    expect(await load('# nothing yet\n')).to.deep.equal({ metricSources: [] });
  });

  it('names metric sources, with a time-out of five seconds and for all namespaces unless it says otherwise', async () => {
    expect(await load(SOURCE)).to.deep.equal({
      metricSources: [
        {
          name: 'default',
          namespaces: undefined,
          prometheus: {
            url: 'http://prometheus:9090',
            timeoutMs: 5000,
            lookbackMs: undefined,
            ca: undefined,
          },
        },
      ],
    });
  });

  it('takes everything that a source can have, and reads its certificate authorities', async () => {
    const caFile = join(directory, 'ca.pem');
    await writeFile(caFile, 'PEM');
    const text = `
metricSources:
  - name: payments
    prometheus:
      url: https://thanos.example.org/prometheus
      timeoutSeconds: 2.5
      lookbackSeconds: 60
      bearerTokenFile: /var/run/secrets/token
      caFile: ${caFile}
    namespaces: [bank, till]
`;
    expect(await load(text)).to.deep.equal({
      metricSources: [
        {
          name: 'payments',
          namespaces: ['bank', 'till'],
          prometheus: {
            url: 'https://thanos.example.org/prometheus',
            timeoutMs: 2500,
            lookbackMs: 60_000,
            bearerTokenFile: '/var/run/secrets/token',
            ca: 'PEM',
          },
        },
      ],
    });
  });

  const refused: [string, string][] = [
    ['[]', 'the file: should be an object'],
    ['metricSource: []', 'the file: "metricSource" is not a known field'],
    ['metricSources: {}', 'metricSources: should be an array'],
    ['metricSources: [{}]', 'metricSources[0].name: should be a string'],
    ['metricSources: [{name: default}]', 'metricSources[0].prometheus: should be an object'],
    [
      'metricSources: [{name: Default, prometheus: {url: "http://p"}}]',
      'metricSources[0].name: is not a name of lower-case letters, digits and dashes that begins with a letter',
    ],
    [
      'metricSources: [{name: a, prometheus: {url: "prometheus:9090"}}]',
      'metricSources[0].prometheus.url: is not an http or https url',
    ],
    [
      'metricSources: [{name: a, prometheus: {url: "http://me:pw@p"}}]',
      'metricSources[0].prometheus.url: takes no credentials, query or fragment: use bearerTokenFile',
    ],
    [
      'metricSources: [{name: a, prometheus: {url: "http://p", timeoutSeconds: 61}}]',
      'metricSources[0].prometheus.timeoutSeconds: Too big: expected number to be <=60',
    ],
    [
      'metricSources: [{name: a, prometheus: {url: "http://p", timeout: 5}}]',
      'metricSources[0].prometheus: "timeout" is not a known field',
    ],
    [
      'metricSources: [{name: a, prometheus: {url: "http://p"}}, {name: a, prometheus: {url: "http://q"}}]',
      'metricSources[1].name: "a" stands there twice',
    ],
    [
      'metricSources: [{name: a, prometheus: {url: "http://p", caFile: /nowhere}}]',
      'metricSources[0].prometheus.caFile: cannot be read (ENOENT)',
    ],
    [
      'metricSources: [',
      'is not YAML: Flow sequence in block collection must be sufficiently indented and end with a ] at line 1, column 17',
    ],
  ];
  for (const [text, message] of refused) {
    it(`refuses ${text}`, async () => {
      expect(await complaint(text)).to.equal(message);
    });
  }

  it('that does not exist is an error that names it', async () => {
    const error = await loadConfig(file).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(ConfigError).with.property('message', `${file}: cannot be read (ENOENT)`);
  });

  describe('while the operator runs', () => {
    let changes: Config[];
    let logged: [string, string, unknown][];
    let poll: () => Promise<void>;
    let stop: () => void;

    beforeEach(async () => {
      changes = [];
      logged = [];
      const current = await load(SOURCE);
      const time = manualClock();
      poll = time.tick;
      stop = watchConfig({
        file,
        current,
        clock: time.clock,
        logger: recorder(logged),
        onChange: (config) => void changes.push(config),
      });
    });

    afterEach(() => stop());

    it('counts when its content changes, and only then', async () => {
      await writeFile(file, `# the same, with a comment\n${SOURCE}`);
      await poll();
      expect(changes).to.deep.equal([]);
      await writeFile(file, SOURCE.replace('9090', '9091'));
      await poll();
      await poll();
      expect(changes.map((config) => config.metricSources[0]?.prometheus.url)).to.deep.equal([
        'http://prometheus:9091',
      ]);
      expect(logged).to.deep.equal([['info', 'the config file has changed', { file, metricSources: 1 }]]);
    });

    it('is told once when it is wrong, and the old one goes on', async () => {
      await writeFile(file, 'metricSources: 5');
      await poll();
      await poll();
      expect(changes).to.deep.equal([]);
      expect(logged).to.deep.equal([
        [
          'error',
          'the config file is wrong: the operator goes on with what it had',
          { error: `${file}: metricSources: should be an array` },
        ],
      ]);
      await writeFile(file, '');
      await poll();
      expect(changes).to.deep.equal([{ metricSources: [] }]);
    });

    it('may vanish: the old one goes on', async () => {
      await rm(file);
      await poll();
      expect(changes).to.deep.equal([]);
      expect(logged).to.have.length(1);
    });

    it('may be a mounted ConfigMap, whose links the kubelet swaps', async () => {
      for (const [name, text] of [
        ['old', SOURCE],
        ['new', ''],
      ] as const) {
        await mkdir(join(directory, name));
        await writeFile(join(directory, name, 'config.yaml'), text);
      }
      await rm(file);
      await symlink('old', join(directory, '..data'));
      await symlink(join('..data', 'config.yaml'), file);
      await poll();
      expect(changes).to.deep.equal([]);
      await symlink('new', join(directory, '..data_tmp'));
      await rename(join(directory, '..data_tmp'), join(directory, '..data'));
      await poll();
      expect(changes).to.deep.equal([{ metricSources: [] }]);
    });

    it('is not read any more after the stop', async () => {
      stop();
      await writeFile(file, '');
      await poll();
      expect(changes).to.deep.equal([]);
    });
  });
});

/** A clock whose timers fire when the test says so; `tick` waits until the next one is set. */
function manualClock(): { clock: Clock; tick: () => Promise<void> } {
  let timer: (() => void) | undefined;
  let wasSet: () => void = () => undefined;
  const clock: Clock = {
    now: () => 0,
    monotonic: () => 0,
    after(_ms, run) {
      timer = run;
      wasSet();
      return () => {
        timer = undefined;
      };
    },
  };
  async function tick(): Promise<void> {
    const run = timer;
    if (run === undefined) return;
    const next = new Promise<void>((resolve) => {
      wasSet = resolve;
    });
    run();
    await next;
  }
  return { clock, tick };
}

function recorder(logged: [string, string, unknown][]): Logger {
  const at = (level: string) => (message: string, fields?: unknown) =>
    void logged.push([level, message, fields]);
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

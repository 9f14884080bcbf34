import { expect } from 'chai';
import { type Options, parseOptions } from '../../src/options.ts';

const POD = { POD_NAMESPACE: 'bluegreen-system', POD_UID: 'd6f5c1c2' };

const DEFAULTS: Options = {
  config: undefined,
  metricsPort: 8080,
  healthPort: 8081,
  bindAddress: undefined,
  logLevel: 'info',
  concurrency: 64,
  leaderElect: true,
  shards: 1,
  leaseNamespace: 'bluegreen-system',
  identity: 'd6f5c1c2',
  namespaces: [],
  kubeconfig: undefined,
};

describe('the command line', () => {
  it('needs nothing inside a pod', () => {
    expect(parseOptions([], POD)).to.deep.equal({ kind: 'run', options: DEFAULTS });
  });

  const understood: [string, Partial<Options>][] = [
    ['--config /etc/bluegreen/config.yaml', { config: '/etc/bluegreen/config.yaml' }],
    ['--config=config.yaml', { config: 'config.yaml' }],
    ['--metrics-port 9090 --health-port=9091', { metricsPort: 9090, healthPort: 9091 }],
    ['--metrics-port 0 --health-port 0', { metricsPort: 0, healthPort: 0 }],
    ['--bind-address 127.0.0.1', { bindAddress: '127.0.0.1' }],
    ['--bind-address ::1', { bindAddress: '::1' }],
    ['--log-level debug', { logLevel: 'debug' }],
    ['--concurrency 1', { concurrency: 1 }],
    ['--leader-elect', { leaderElect: true }],
    ['--leader-elect=true', { leaderElect: true }],
    ['--leader-elect=false', { leaderElect: false }],
    ['--no-leader-elect', { leaderElect: false }],
    ['--shards 3', { shards: 3 }],
    ['--lease-namespace ops', { leaseNamespace: 'ops' }],
    ['--identity me', { identity: 'me' }],
    ['--namespace shop --namespace till --namespace shop', { namespaces: ['shop', 'till'] }],
    ['--kubeconfig ./kubeconfig', { kubeconfig: './kubeconfig' }],
  ];
  for (const [line, expected] of understood) {
    it(`understands ${line}`, () => {
      expect(parseOptions(line.split(' '), POD)).to.deep.equal({
        kind: 'run',
        options: { ...DEFAULTS, ...expected },
      });
    });
  }

  const refused: [string, string][] = [
    ['--metrics-port abc', '--metrics-port: "abc" is not a whole number from 0 to 65535'],
    ['--metrics-port 65536', '--metrics-port: "65536" is not a whole number from 0 to 65535'],
    ['--metrics-port=-1', '--metrics-port: "-1" is not a whole number from 0 to 65535'],
    ['--health-port 1e3', '--health-port: "1e3" is not a whole number from 0 to 65535'],
    ['--health-port=', '--health-port: "" is not a whole number from 0 to 65535'],
    ['--health-port 8080', '--health-port: 8080 is taken by --metrics-port: give another one'],
    ['--concurrency 0', '--concurrency: "0" is not a whole number from 1 to 1000'],
    ['--shards 0', '--shards: "0" is not a whole number from 1 to 64'],
    [
      '--shards 2 --no-leader-elect',
      '--shards: replicas share releases by Leases: leave --no-leader-elect out',
    ],
    ['--log-level verbose', '--log-level: "verbose" is none of error, warn, info, debug'],
    ['--namespace Shop', '--namespace: "Shop" is not the name of a namespace'],
    ['--lease-namespace a/b', '--lease-namespace: "a/b" is not the name of a namespace'],
    ['--leader-elect=maybe', "Option '--leader-elect' does not take an argument: --help lists the flags"],
    ['--colour', "Unknown option '--colour': --help lists the flags"],
    ['--config', "Option '--config <value>' argument missing: --help lists the flags"],
    ['--config --help', "Option '--config' argument is ambiguous: --help lists the flags"],
    ['run', "Unexpected argument 'run': --help lists the flags"],
  ];
  for (const [line, message] of refused) {
    it(`refuses ${line}`, () => {
      expect(parseOptions(line.split(' '), POD)).to.deep.equal({ kind: 'error', message });
    });
  }

  it('outside a pod asks for the namespace of the Lease', () => {
    expect(parseOptions([], {})).to.deep.equal({
      kind: 'error',
      message:
        '--lease-namespace: leader election needs a namespace for its Lease: give it, or set POD_NAMESPACE',
    });
    expect(parseOptions(['--no-leader-elect'], {})).to.have.nested.property('options.leaseNamespace', '');
  });

  it('outside a pod has an identity of its own in each process', () => {
    const identity = (): string => {
      const parsed = parseOptions(['--no-leader-elect'], {});
      return parsed.kind === 'run' ? parsed.options.identity : '';
    };
    expect(identity()).to.match(/.-[0-9a-f]{8}$/);
    expect(identity()).to.not.equal(identity());
  });

  it('prints a table of its flags', () => {
    expect(parseOptions(['--help'], {})).to.deep.equal({
      kind: 'help',
      text: `The operator for blue-green releases.

  --config FILE                YAML file that names the metric sources; reread when it changes
  --metrics-port PORT          port of /metrics (default: 8080)
  --health-port PORT           port of /healthz and /readyz (default: 8081)
  --bind-address ADDRESS       address of both ports (default: all)
  --log-level LEVEL            error, warn, info, debug (default: info)
  --concurrency N              releases reconciled side by side (default: 64)
  --leader-elect               act only while holding the Lease; --no-leader-elect for one process alone (default: true)
  --shards N                   replicas share the releases over N Leases; the same for all of them (default: 1)
  --lease-namespace NAMESPACE  namespace of the Lease (default: $POD_NAMESPACE)
  --identity NAME              name in the Lease (default: $POD_UID, else host name and a random part)
  --namespace NAMESPACE        watch only this namespace; may be repeated (default: all)
  --kubeconfig FILE            kubeconfig file (default: $KUBECONFIG, the service account, ~/.kube/config)
  --help                       print this table
`,
    });
  });
});

import { expect } from 'chai';
import { parseOptions } from '../../demo/options.ts';

describe('the command line of the demo', () => {
  it('needs nothing', () => {
    expect(parseOptions([])).to.deep.equal({
      json: undefined,
      record: undefined,
      keep: false,
      verbose: false,
      context: undefined,
    });
  });

  it('takes a cluster that is there, and Prometheus as its makers publish it', () => {
    const args = ['--use-current-context', '--image-operator', 'r/op:1', '--image-app', 'r/app:1'];
    expect(parseOptions(args)).to.deep.include({
      context: { operator: 'r/op:1', app: 'r/app:1', prometheus: 'docker.io/prom/prometheus:v3.5.0' },
    });
  });

  const table: [string, string[], string][] = [
    ['the operator’s image is missing', ['--use-current-context'], '--image-operator is missing'],
    [
      'the application’s image is missing',
      ['--use-current-context', '--image-operator', 'x'],
      '--image-app is missing',
    ],
    [
      'an image has no cluster to go to',
      ['--image-app', 'x'],
      '--image-... belongs to --use-current-context',
    ],
    ['an option is unknown', ['--fast'], "Unknown option '--fast'"],
  ];
  for (const [name, args, message] of table) {
    it(`says so when ${name}`, () => {
      expect(() => parseOptions(args)).to.throw(message);
    });
  }
});

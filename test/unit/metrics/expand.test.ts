import { expect } from 'chai';
import fc from 'fast-check';
import { expandQuery } from '../../../src/metrics/expand.ts';

const variables = { color: 'green', revision: 'r3', release: 'checkout', namespace: 'shop' };

describe('the variables of a query', () => {
  const table: [string, string, string][] = [
    [
      'all four are replaced',
      '$(BLUEGREEN_COLOR) $(BLUEGREEN_REVISION) $(BLUEGREEN_RELEASE) $(BLUEGREEN_NAMESPACE)',
      'green r3 checkout shop',
    ],
    [
      'each time they occur',
      'a{c="$(BLUEGREEN_COLOR)"} / b{c="$(BLUEGREEN_COLOR)"}',
      'a{c="green"} / b{c="green"}',
    ],
    ['an escaped one stays as text', '$$(BLUEGREEN_COLOR)', '$(BLUEGREEN_COLOR)'],
    ['an escaped dollar before one', '$$$(BLUEGREEN_COLOR)', '$green'],
    ['an unknown name stays', '$(HOSTNAME)', '$(HOSTNAME)'],
    ['a name that is not ours by case stays', '$(bluegreen_color)', '$(bluegreen_color)'],
    ['an open one stays', '$(BLUEGREEN_COLOR', '$(BLUEGREEN_COLOR'],
    ['an open one that swallows another', '$(a $(BLUEGREEN_COLOR)', '$(a $(BLUEGREEN_COLOR)'],
    ['the end of a regular expression is no variable', 'x{path=~"^/api$"}', 'x{path=~"^/api$"}'],
    ['a shell form is no variable', '$BLUEGREEN_COLOR $x', '$BLUEGREEN_COLOR $x'],
    ['nothing', '', ''],
  ];
  for (const [name, query, expected] of table) {
    it(`${name}: ${query}`, () => {
      expect(expandQuery(query, variables)).to.equal(expected);
    });
  }

  it('is what Kubernetes does with $(VAR) in a command, for any text', () => {
    const piece = fc.constantFrom('$', '$$', '(', ')', '$(', '$(BLUEGREEN_COLOR)', '$(OTHER)', 'a', '"', '{');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const query = pieces.join('');
        expect(expandQuery(query, variables)).to.equal(expandAsKubernetes(query));
      }),
    );
  });

  it('refuses a value that could end a string of PromQL', () => {
    const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
    fc.assert(
      fc.property(fc.string(), (value) => {
        fc.pre(!label.test(value));
        expect(() => expandQuery('up', { ...variables, release: value })).to.throw(
          TypeError,
          'BLUEGREEN_RELEASE is not a DNS label',
        );
      }),
    );
    expect(() => expandQuery('up', { ...variables, namespace: 'x"} or vector(0) #' })).to.throw(
      TypeError,
      'BLUEGREEN_NAMESPACE is not a DNS label',
    );
    expect(() => expandQuery('up', { ...variables, revision: 'a'.repeat(64) })).to.throw(TypeError);
  });

  it('expands once: what a value holds is not looked at again', () => {
    expect(expandQuery('$$(BLUEGREEN_COLOR) $(BLUEGREEN_COLOR)', variables)).to.equal(
      '$(BLUEGREEN_COLOR) green',
    );
  });
});

/** The loop of k8s.io/kubernetes/third_party/forked/golang/expansion, character by character. */
function expandAsKubernetes(input: string): string {
  let output = '';
  let checkpoint = 0;
  for (let cursor = 0; cursor < input.length; cursor++) {
    if (input[cursor] !== '$' || cursor + 1 >= input.length) continue;
    output += input.slice(checkpoint, cursor);
    const rest = input.slice(cursor + 1);
    const end = rest.indexOf(')');
    let advance = 1;
    if (rest[0] === '$') {
      output += '$';
    } else if (rest[0] === '(' && end > 0) {
      const name = rest.slice(1, end);
      output += name === 'BLUEGREEN_COLOR' ? 'green' : `$(${name})`;
      advance = end + 1;
    } else {
      output += `$${rest[0]}`;
    }
    cursor += advance;
    checkpoint = cursor + 1;
  }
  return output + input.slice(checkpoint);
}

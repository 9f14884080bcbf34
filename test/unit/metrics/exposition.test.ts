import { mock } from 'node:test';
import { expect } from 'chai';
import { createCounterReader } from '../../../src/metrics/exposition.ts';

const NAME = 'http_requests_total';

function total(page: string, selector: string = NAME, pieces = 1): number | string {
  const reader = createCounterReader(selector);
  const size = Math.ceil(page.length / pieces);
  for (let from = 0; from < page.length; from += size) reader.add(page.slice(from, from + size));
  try {
    return reader.total();
  } catch (error) {
    return (error as Error).message;
  }
}

const page = `# HELP http_requests_total Requests.
# TYPE http_requests_total counter
http_requests_total{code="200",path="/"} 5
http_requests_total{code="500",path="/",} 2 1395066363000
http_requests_total{code="200",path="/metrics"} 1e3

# a comment
http_requests_total_of_others 7
other{http_requests_total="x"} NaN
this line is not of the format
`;

describe("a counter of a page in Prometheus' text format", () => {
  const read: Readonly<Record<string, readonly [string, string, number]>> = {
    'sums its series': [page, NAME, 1007],
    'leaves out what is not asked for': [page, `${NAME}{path!="/metrics"}`, 7],
    'takes what is asked for': [page, `${NAME}{code="200",path="/"}`, 5],
    'takes an absent label for an empty one': [page, `${NAME}{host="",code="500"}`, 2],
    'may have no labels': [`${NAME} 12\n`, NAME, 12],
    'may be a number with a fraction, a plus or an exponent': [
      `${NAME}{a="1"} +1.5\n${NAME}{a="2"} .5E+2\n`,
      NAME,
      51.5,
    ],
    'may be indented by tabs, and end its lines as Windows does': [`${NAME}\t3\t4\r\n`, NAME, 3],
    'may have any text in a label': [
      `${NAME}{path="a \\"b\\" \\\\ } 9",code="\\n"} 4\n`,
      `${NAME}{code!="200"}`,
      4,
    ],
    'is 0 where it is declared, and nobody has asked yet': [`# TYPE ${NAME} counter\n`, NAME, 0],
    'may be without a type': [`# TYPE ${NAME} untyped\n${NAME} 1\n`, NAME, 1],
  };
  for (const [what, [text, selector, value]] of Object.entries(read))
    it(what, () => {
      for (const pieces of [1, 2, 7, text.length]) expect(total(text, selector, pieces)).to.equal(value);
    });

  const malformed = `a line of ${NAME} is not in Prometheus' text format`;
  const refused: Readonly<Record<string, readonly [string, string, string]>> = {
    'that is not there': ['other 1\n', NAME, `its metrics have no ${NAME}`],
    'that is not there in an empty answer': ['', NAME, `its metrics have no ${NAME}`],
    'without the series that are asked for': [
      page,
      `${NAME}{code="404"}`,
      `its metrics have no ${NAME}{code="404"}`,
    ],
    'that is declared, without the series that are asked for': [
      `# TYPE ${NAME} counter\n`,
      `${NAME}{code="404"}`,
      `its metrics have no ${NAME}{code="404"}`,
    ],
    'that is a gauge': [`# TYPE ${NAME} gauge\n${NAME} 1\n`, NAME, `${NAME} is no counter`],
    'that is not a number': [`${NAME} NaN\n`, NAME, malformed],
    'without a value': [`${NAME}\n`, NAME, malformed],
    'that is negative': [`${NAME} -1\n`, NAME, malformed],
    'that is endless': [`${NAME} +Inf\n`, NAME, malformed],
    'too large for a number': [`${NAME} 1e999\n`, NAME, malformed],
    'that is hexadecimal': [`${NAME} 0x10\n`, NAME, malformed],
    'with a label that does not end': [`${NAME}{code="200} 1\n`, NAME, malformed],
    'with a label twice': [`${NAME}{a="1",a="2"} 1\n`, NAME, malformed],
    'with a label without quotes': [`${NAME}{a=1} 1\n`, NAME, malformed],
    'with an escape that does not exist': [`${NAME}{a="\\t"} 1\n`, NAME, malformed],
    'with more than a value and a time': [`${NAME} 1 2 3\n`, NAME, malformed],
    'with one line that cannot be read': [`${NAME}{a="1"} 1\n${NAME}{a="2"} x\n`, NAME, malformed],
    'on a page that was cut off': [`${NAME} 1`, NAME, 'its metrics end in the middle of a line'],
    'beside a line that is endless': [
      `${NAME} 1\n${'x'.repeat(70_000)}\n`,
      NAME,
      'a line of its metrics is longer than 64 KiB',
    ],
  };
  for (const [what, [text, selector, sentence]] of Object.entries(refused))
    it(`is unknown ${what}`, () => {
      expect(total(text, selector, Math.max(1, Math.ceil(text.length / 65_000)))).to.equal(sentence);
    });

  it('looks through a line once, in however many pieces it comes', () => {
    const splits = mock.method(String.prototype, 'split');
    try {
      const reader = createCounterReader(NAME);
      const before = splits.mock.callCount();
      for (let count = 0; count < 10_000; count++) reader.add('x');
      reader.add(`\n${NAME} 7\n`);
      expect([reader.total(), splits.mock.callCount() - before]).to.deep.equal([7, 1]);
    } finally {
      splits.mock.restore();
    }
  });
});

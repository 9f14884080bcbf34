/**
 * Reads one counter from a page in Prometheus' text format (0.0.4), as it comes. Strict about the lines of that counter,
 * and blind to all others: what else an application says of itself is its own affair.
 */
export interface CounterReader {
  add(text: string): void;
  /** The sum of the series that count; throws an Error with a sentence that holds nothing of the page. */
  total(): number;
}

interface Matcher {
  readonly label: string;
  readonly value: string;
  readonly isEqual: boolean;
}

/** A line that never ends must not fill the memory. */
const LONGEST_LINE = 65_536;
const COUNTS: ReadonlySet<string> = new Set(['counter', 'untyped']);
const SAMPLE = /^(?:\{(.*)\})?[ \t]+([^ \t]+)(?:[ \t]+-?[0-9]+)?[ \t]*$/;
const NUMBER = /^\+?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$/;
const LABEL = /[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\["\\n])*)"[ \t]*(,|$)/y;

/** `selector`: as `spec.traffic.drain.until.podMetrics.counter` has it. */
export function createCounterReader(selector: string): CounterReader {
  const { name, matchers } = parseSelector(selector);
  let rest = '';
  let series = 0;
  let sum = 0;
  let declared = false;
  let trouble: string | undefined;

  function readLine(line: string): void {
    if (line.startsWith(`# TYPE ${name} `)) {
      const type = line.slice(`# TYPE ${name} `.length).trim();
      declared = true;
      if (!COUNTS.has(type)) trouble ??= `${name} is no counter`;
    }
    if (!line.startsWith(name) || /^[a-zA-Z0-9_:]/.test(line.slice(name.length))) return;
    const sample = parseSample(line.slice(name.length));
    if (sample === undefined) {
      trouble ??= `a line of ${name} is not in Prometheus' text format`;
      return;
    }
    if (!matchers.every((matcher) => matches(matcher, sample.labels))) return;
    series += 1;
    sum += sample.value;
  }

  return {
    add(text) {
      // Sent byte for byte, a long line must not be looked through again with each of them.
      if (!text.includes('\n') && rest.length + text.length <= LONGEST_LINE) {
        rest += text;
        return;
      }
      const lines = `${rest}${text}`.split('\n');
      rest = lines.pop() ?? '';
      if ([...lines, rest].some(({ length }) => length > LONGEST_LINE)) {
        trouble ??= 'a line of its metrics is longer than 64 KiB';
        rest = '';
      }
      for (const line of lines) readLine(line.replace(/\r$/, ''));
    },
    total() {
      if (rest !== '') trouble ??= 'its metrics end in the middle of a line';
      if (series === 0) trouble ??= missing(selector, declared && matchers.length === 0);
      if (trouble !== undefined) throw new Error(trouble);
      return sum;
    },
  };
}

/** A counter with labels is declared before its first request, and has no series until then. */
function missing(selector: string, isDeclared: boolean): string | undefined {
  return isDeclared ? undefined : `its metrics have no ${selector}`;
}

function parseSelector(selector: string): { name: string; matchers: Matcher[] } {
  const [name = '', labels = ''] = selector.split(/[{}]/);
  const matchers = [...labels.matchAll(/([a-zA-Z0-9_]+)(!?=)"([^"]*)"/g)].map(
    ([, label = '', operator, value = '']) => ({ label, value, isEqual: operator === '=' }),
  );
  return { name, matchers };
}

/** An absent label is an empty one, as in PromQL. */
function matches({ label, value, isEqual }: Matcher, labels: ReadonlyMap<string, string>): boolean {
  return ((labels.get(label) ?? '') === value) === isEqual;
}

/** Of what follows the name. undefined: it is malformed, or no count (NaN, negative, infinite). */
function parseSample(text: string): { labels: Map<string, string>; value: number } | undefined {
  const [, inBraces = '', number = ''] = SAMPLE.exec(text) ?? [];
  const labels = parseLabels(inBraces);
  const value = Number(number);
  return labels === undefined || !NUMBER.test(number) || !Number.isFinite(value)
    ? undefined
    : { labels, value };
}

function parseLabels(text: string): Map<string, string> | undefined {
  const labels = new Map<string, string>();
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const [, label, raw] = LABEL.exec(text) ?? [];
    if (label === undefined || raw === undefined || labels.has(label)) return undefined;
    labels.set(
      label,
      raw.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped)),
    );
  }
  return labels;
}

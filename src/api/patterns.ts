/** The patterns that names and numbers follow, each with the words that people read instead of it. */

const worded = new Map<string, string>();

function pattern(regex: RegExp, words: string): RegExp {
  worded.set(regex.source, words);
  return regex;
}

export const DNS_1035: RegExp = pattern(
  /^[a-z]([-a-z0-9]*[a-z0-9])?$/,
  'lower-case letters, digits and dashes, beginning with a letter and ending with a letter or digit',
);

export const DNS_1123_SUBDOMAIN: RegExp = pattern(
  /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  'lower-case letters, digits, dashes and dots, beginning and ending with a letter or digit',
);

export const QUALIFIED_NAME: RegExp = pattern(
  /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/,
  'a label key such as "example.com/color", whose name has at most 63 characters',
);

export const HTTP_PATH: RegExp = pattern(
  /^\/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*$/,
  'a path that begins with a slash, and a query where it has one',
);

export const LABEL_VALUE: RegExp = pattern(
  /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/,
  'letters, digits, dashes, underscores and dots, beginning and ending with a letter or digit',
);

export const COUNTER: RegExp = pattern(
  /^[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_][a-zA-Z0-9_]*!?="[^"\\{}]*",)*[a-zA-Z_][a-zA-Z0-9_]*!?="[^"\\{}]*"\})?$/,
  'the name of a metric, and labels without spaces between them where it has any, such as http_requests_total{code="200",path!="/metrics"}',
);

export const DECIMAL: RegExp = pattern(/^-?[0-9]+(\.[0-9]+)?$/, 'a decimal number in quotes, such as "0.01"');

export const PERCENT: RegExp = pattern(
  /^(0|[1-9][0-9]{0,2}|1000)%$/,
  'a number of pods, or a percentage from "0%" to "1000%"',
);

export const CONFIG_KEY: RegExp = pattern(
  /^[-._a-zA-Z0-9]+$/,
  'letters, digits, dashes, underscores and dots',
);

export const NO_SPACE: RegExp = pattern(/^[^\s]+$/, 'text without spaces');

/** What a value that follows this pattern is; the pattern itself where it has no words. */
export function patternInWords(source: string): string {
  return worded.get(source) ?? `text that matches ${source}`;
}

/** What is wrong with a value, in the words of the people who wrote it. The value itself is never repeated. */
import type { z } from 'zod';
import { patternInWords } from './patterns.ts';

type Issue = z.core.$ZodIssue;
type SizeIssue = z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig;

/** Follows the name of the field: "spec.suspend must be true or false". */
export function sentence(issue: Issue): string {
  if (issue.input === undefined) return 'is required';
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${inWords(issue.expected)}`;
    case 'invalid_union':
      return `must be ${either(issue.errors.map(([branch]) => expectedBy(branch)))}`;
    case 'invalid_value':
      return `must be ${either(issue.values.map(String))}`;
    case 'invalid_format':
      return `must be ${issue.pattern === undefined ? issue.format : patternInWords(issue.pattern.slice(1, -1))}`;
    case 'too_small':
      return `must ${bound(issue, 'at least', Number(issue.minimum))}`;
    case 'too_big':
      return `must ${bound(issue, 'at most', Number(issue.maximum))}`;
    case 'not_multiple_of':
    case 'unrecognized_keys':
    case 'invalid_key':
    case 'invalid_element':
    case 'custom':
      return issue.message;
  }
}

const TYPES: Readonly<Record<string, string>> = {
  object: 'an object',
  record: 'an object',
  array: 'a list',
  string: 'text',
  int: 'a whole number',
  number: 'a whole number',
  boolean: 'true or false',
};

function inWords(type: string): string {
  return TYPES[type] ?? `of type ${type}`;
}

function expectedBy(branch: Issue | undefined): string {
  return branch?.code === 'invalid_type' ? inWords(branch.expected) : 'another value';
}

function bound({ origin }: SizeIssue, direction: 'at least' | 'at most', limit: number): string {
  if (origin === 'string') return `have ${direction} ${counted(limit, 'character', 'characters')}`;
  if (origin === 'array') return `have ${direction} ${counted(limit, 'entry', 'entries')}`;
  return `be ${direction} ${limit}`;
}

/** "Hold, Ignore or Fail" */
function either(options: readonly string[]): string {
  return options.join(', ').replace(/, (?=[^,]*$)/, ' or ');
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Label selectors, as the API server reads them. */
import type { LabelSelector } from '../kube/types.ts';

/** An empty selector matches everything. */
export function matchesSelector(
  { matchLabels = {}, matchExpressions = [] }: LabelSelector,
  labels: Readonly<Record<string, string>>,
): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every((expression) => holds(expression, labels[expression.key]))
  );
}

function holds(
  { operator, values = [] }: NonNullable<LabelSelector['matchExpressions']>[number],
  value: string | undefined,
): boolean {
  if (operator === 'Exists') return value !== undefined;
  if (operator === 'DoesNotExist') return value === undefined;
  const isIn = value !== undefined && values.includes(value);
  return operator === 'NotIn' ? !isIn : isIn;
}

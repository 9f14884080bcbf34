/**
 * Puts the names of a release into a query, the way Kubernetes expands $(VAR) in a container's command: $(NAME) is
 * replaced, $$ is a dollar sign that begins nothing, so $$(NAME) stays as the text $(NAME), and what is not one of
 * the names below stays as it is. A regular expression such as "^/api$" needs no escaping.
 */

export interface QueryVariables {
  readonly color: string;
  readonly revision: string;
  readonly release: string;
  readonly namespace: string;
}

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/**
 * The values are DNS labels, in which nothing can end a PromQL string or begin another. Anything else is a
 * programming error, and a TypeError.
 */
export function expandQuery(query: string, variables: QueryVariables): string {
  const values = new Map([
    ['BLUEGREEN_COLOR', variables.color],
    ['BLUEGREEN_REVISION', variables.revision],
    ['BLUEGREEN_RELEASE', variables.release],
    ['BLUEGREEN_NAMESPACE', variables.namespace],
  ]);
  for (const [name, value] of values) {
    if (!DNS_LABEL.test(value)) throw new TypeError(`${name} is not a DNS label`);
  }
  return query.replaceAll(/\$(?:\$|\(([^)]*)\))/g, (match, name: string | undefined) => {
    if (name === undefined) return '$';
    return values.get(name) ?? match;
  });
}

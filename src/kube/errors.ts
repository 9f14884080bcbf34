import type { KubeErrorReason } from './ports.ts';

/** Longer messages of the API server are cut: a rejected pod template can fill pages. */
const LONGEST_MESSAGE = 1024;

export interface KubeErrorDetails {
  readonly reason: KubeErrorReason;
  /** HTTP status; 0 where no answer came. */
  readonly status: number;
  /** Milliseconds that the server asked to wait. */
  readonly retryAfterMs?: number;
  /** Verb, resource and object: "patch services shop/checkout". */
  readonly call: string;
  /** The API server's own `status.message`, or what happened to the connection. */
  readonly message: string;
}

/**
 * Why a call failed.
 *
 * The message is the call and the API server's own `status.message` (for instance the field path of a 422). It holds
 * no header, no request body and no raw answer, and there is no `cause`, so that logging the whole error is safe.
 */
export class KubeError extends Error {
  readonly reason: KubeErrorReason;
  readonly status: number;
  readonly retryAfterMs: number | undefined;

  constructor(details: KubeErrorDetails) {
    super(`${details.call}: ${details.message.slice(0, LONGEST_MESSAGE)}`);
    this.name = 'KubeError';
    this.reason = details.reason;
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs;
  }
}

export function isKubeError(thrown: unknown, ...reasons: readonly KubeErrorReason[]): thrown is KubeError {
  return thrown instanceof KubeError && (reasons.length === 0 || reasons.includes(thrown.reason));
}

/** The members of a metav1.Status that we read. */
export interface StatusBody {
  readonly kind?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: {
    readonly name?: string;
    readonly kind?: string;
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly {
      readonly reason?: string;
      readonly message?: string;
      readonly field?: string;
    }[];
  };
}

/** metav1.StatusReason to ours; source: k8s.io/apimachinery/pkg/apis/meta/v1/types.go. */
const REASONS: Readonly<Record<string, KubeErrorReason>> = {
  NotFound: 'NotFound',
  AlreadyExists: 'AlreadyExists',
  Conflict: 'Conflict',
  Invalid: 'Invalid',
  BadRequest: 'BadRequest',
  Forbidden: 'Forbidden',
  Unauthorized: 'Unauthorized',
  Gone: 'Gone',
  Expired: 'Gone',
  TooManyRequests: 'TooManyRequests',
  Timeout: 'Timeout',
  ServerTimeout: 'Timeout',
  InternalError: 'ServerError',
  ServiceUnavailable: 'ServerError',
};

/** For answers that are no Status: a proxy's page, "404 page not found". */
const BY_STATUS: Readonly<Record<number, KubeErrorReason>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Gone',
  422: 'Invalid',
  429: 'TooManyRequests',
  504: 'Timeout',
};

export function reasonOf(status: number, body: StatusBody | undefined): KubeErrorReason {
  const named = body?.reason === undefined ? undefined : REASONS[body.reason];
  return named ?? BY_STATUS[status] ?? (status >= 500 ? 'ServerError' : 'Other');
}

/** The Status in an answer, or undefined where it is something else. */
export function parseStatus(text: string): StatusBody | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    const body = JSON.parse(text) as StatusBody;
    return body.kind === 'Status' ? body : undefined;
  } catch {
    return undefined;
  }
}

/** What every kind of check answers. */
import type { CheckStatus } from '../api/status.ts';

export interface Breach {
  /** UpperCamelCase. */
  readonly reason: string;
  readonly message: string;
}

export interface CheckVerdict {
  readonly status: CheckStatus;
  /** Set when the traffic must go back. */
  readonly breach?: Breach;
  /** Set while the commit must wait. */
  readonly hold?: string;
  readonly lookAgainAt?: number;
}

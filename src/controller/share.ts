/** Which releases are this process's to handle, where replicas share them. */
export interface Share {
  owns(key: string): boolean;
  /** Does the work where the release is ours, and keeps it until the work is done. undefined where it is another's. */
  within<R>(key: string, work: () => Promise<R>): Promise<R | undefined>;
}

export const EVERYTHING: Share = { owns: () => true, within: (_, work) => work() };

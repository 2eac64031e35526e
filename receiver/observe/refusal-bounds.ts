/** How much of what was refused is to be kept. */
export interface RefusalLimits {
  /** Milliseconds. Left out: seven days. */
  readonly keepMs?: number;
  /** How many. Left out: 100,000. */
  readonly most?: number;
  /** How large, in bytes. Left out: 64 MiB. */
  readonly mostBytes?: number;
}

/**
 * How much is kept. A share is what one entrance refused of requests that were proved, or of those that were not. Shares are
 * counted as if each were full: nobody has to look into all of them to know that there are not too many.
 */
export interface RefusalBounds {
  readonly retentionMs: number;
  readonly perShare: number;
  /** How large a share may be in the journal. */
  readonly shareBytes: number;
  /** Shares in memory; the one that refused nothing for the longest time goes first. */
  readonly shares: number;
  /** Shares in the journal, all receivers' together. */
  readonly rows: number;
}

const DAY = 86_400_000;
const PER_SHARE = 50;
const SHARE_BYTES = 32 << 10;
/** Some 10 MB where every one of them is full. */
const SHARES_IN_MEMORY = 1000;

/** What limits come to. */
export function refusalBounds(limits: RefusalLimits = {}): RefusalBounds {
  const { keepMs = 7 * DAY, most = 100_000, mostBytes = 64 << 20 } = limits;
  const perShare = Math.min(PER_SHARE, most);
  const shareBytes = Math.min(SHARE_BYTES, mostBytes);
  const rows = Math.floor(Math.min(most / perShare, mostBytes / shareBytes));
  return { retentionMs: keepMs, perShare, shareBytes, shares: Math.min(SHARES_IN_MEMORY, rows), rows };
}

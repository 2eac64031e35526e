/** The kinds of history: events whose deliveries were all made, that no trigger took, that left a dead letter. */
export type Kept = 'delivered' | 'unmatched' | 'dead';

/** How long events are kept, in milliseconds from acceptance; `dead`: from when their delivery became a dead letter. */
export type Retention = Readonly<Record<Kept, number>>;

/**
 * How much of a kind is kept at most; what is more goes at the next pruning, oldest first. Dead letters count one by one,
 * with their event's bytes. Undone deliveries count as delivered ones, and never go. Left out: as much as there is.
 */
export type HistoryLimits = Readonly<
  Partial<Record<Kept, { readonly events?: number; readonly bytes?: number }>>
>;

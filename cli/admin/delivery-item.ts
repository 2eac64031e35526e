/** A delivery as the admin API shows it. */
export interface DeliveryItem {
  readonly id: number;
  readonly event: number;
  readonly trigger: string;
  readonly state: string;
  readonly reason?: string;
  readonly due?: number;
  /** Deliveries of one line go one at a time: with `ordering: PerSubject`, its subject. */
  readonly line?: string;
  readonly receivedAt: number;
  readonly attributes: Readonly<Record<string, string>>;
  readonly attempts: readonly {
    readonly status?: number;
    readonly error?: string;
    readonly result?: string;
  }[];
}

/** What the last attempt came to, or why there is none. */
export function outcomeOf({ state, due, line, attempts, reason }: DeliveryItem): string {
  if (state === 'waiting' && due === undefined && line !== undefined) return `behind another of ${line}`;
  const last = attempts.at(-1);
  const answer = last?.status === undefined ? undefined : String(last.status);
  return [answer, reason ?? last?.error ?? last?.result].filter((part) => part !== undefined).join(' ');
}

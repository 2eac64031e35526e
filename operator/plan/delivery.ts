import type { DeliveryPolicy, Destination } from '../../receiver/routing/table.ts';
import { type Reader, readRate } from './reading.ts';
import type { Delivery } from './resources.ts';
import { withoutUndefined } from './without-undefined.ts';

const BACKOFF_DELAY_MS = 200;
const CEILING_MS = 300_000;
const MAX_AGE_MS = 86_400_000;
const TIMEOUT_MS = 30_000;
const RETRY_AFTER_MAX_MS = 600_000;
const CONCURRENCY = 32;

/** `delivery` of the spec, or of a step, with its defaults: no `retry` means to go on for a day, with delays that grow to five minutes. */
export function planDelivery(
  spec: Delivery | undefined,
  deadLetter: Destination | undefined,
  reader: Reader,
  path: string = 'spec',
): DeliveryPolicy {
  const delivery = spec ?? {};
  const duration = (field: 'backoffDelay' | 'timeout' | 'retryAfterMax', fallback: number): number =>
    reader.duration(delivery[field], `${path}.delivery.${field}`, fallback);
  const timeoutMs = duration('timeout', TIMEOUT_MS);
  if (timeoutMs < 1) {
    reader.findings.push({
      field: `${path}.delivery.timeout`,
      message: 'no attempt can be made in no time: write 1s or more',
    });
  }
  return withoutUndefined<DeliveryPolicy>({
    retry: delivery.retry,
    backoffPolicy: delivery.backoffPolicy ?? 'exponential',
    backoffDelayMs: duration('backoffDelay', BACKOFF_DELAY_MS),
    ceilingMs: CEILING_MS,
    maxAgeMs: MAX_AGE_MS,
    timeoutMs,
    retryAfterMaxMs: duration('retryAfterMax', RETRY_AFTER_MAX_MS),
    concurrency: delivery.concurrency ?? CONCURRENCY,
    rateLimit: delivery.rateLimit && readRate(delivery.rateLimit, `${path}.delivery.rateLimit`, reader),
    ordering: delivery.ordering ?? 'None',
    deadLetter,
  });
}

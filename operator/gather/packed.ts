import type { EventBridge, EventTrigger, WebhookSecret } from '../plan/resources.ts';

type Resource = WebhookSecret | EventTrigger | EventBridge;

/**
 * A resource as it is kept: its text, and the little that is asked of all of them. Ten thousand as objects would be most
 * of the operator's memory, and hardly any is looked at twice.
 */
export class Packed<R extends Resource> {
  readonly version: string | undefined;
  readonly uid: string;
  /** What of it planning depends on: it differs where the resource is another, or another generation. */
  readonly planned: string;
  /** The status of Ready. */
  readonly ready: string;
  /** It is being deleted: as good as gone, whatever still holds it back. */
  readonly leaving: boolean;
  readonly #text: string;

  constructor(resource: R) {
    const { uid, generation, deletionTimestamp, resourceVersion } = resource.metadata;
    this.version = resourceVersion;
    this.uid = uid ?? '';
    this.planned = `${uid} ${generation} ${deletionTimestamp}`;
    this.leaving = deletionTimestamp !== undefined;
    this.ready = resource.status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? 'Unknown';
    const { annotations: _, ...metadata } = resource.metadata;
    this.#text = JSON.stringify({ ...resource, metadata });
  }

  read(): R {
    return JSON.parse(this.#text) as R;
  }
}

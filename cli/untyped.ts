import { isDefaultType } from '../receiver/event/default-type.ts';

/** What is said of an event that nobody takes and whose type is not its sender's: that is most likely why. */
export function tellUntyped(type: string, taken: boolean): readonly string[] {
  if (taken || !isDefaultType(type)) return [];
  return [
    'Its type is the one that its endpoint gives where the request has none: the payload is no JSON, or compressed, or lacks the member or the header that names it. spec.event.type of the WebhookSecret says where that is.',
  ];
}

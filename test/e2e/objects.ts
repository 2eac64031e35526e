import { API_VERSION, type Kind } from '../../crds/group.ts';

/** A resource of ours. */
export function resource(kind: Kind, name: string, spec: object): object {
  return { apiVersion: API_VERSION, kind, metadata: { name }, spec };
}

/** A trigger on its own cluster address that sends to `uri`. */
export function forward(name: string, uri: string, spec: object = {}): object {
  return resource('EventTrigger', name, { target: { sink: { uri } }, ...spec });
}

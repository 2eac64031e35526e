import { API_VERSION, KINDS, type Kind } from '../../crds/group.ts';

/** A collection of objects on the API server, or the part of it to be watched. */
export interface Collection {
  /** `/apis/signalbox.dev/v1alpha1/eventtriggers` */
  readonly path: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** True: only metadata is asked for (PartialObjectMetadata), so that the objects' content never gets here. */
  readonly metadataOnly?: boolean;
}

/** All objects of one of our kinds, in one namespace or in all. */
export function resourcesOf(kind: Kind, namespace: string | undefined): Collection {
  return { path: `/apis/${API_VERSION}${inNamespace(namespace)}/${KINDS[kind].plural}` };
}

/** One of our resources. */
export function resourcePath(kind: Kind, namespace: string, name: string): string {
  return `/apis/${API_VERSION}/namespaces/${namespace}/${KINDS[kind].plural}/${name}`;
}

/** The path of a core/v1 collection. */
export function corePath(plural: string, namespace: string | undefined, name?: string): string {
  return `/api/v1${inNamespace(namespace)}/${plural}${name === undefined ? '' : `/${name}`}`;
}

export function inNamespace(namespace: string | undefined): string {
  return namespace === undefined ? '' : `/namespaces/${namespace}`;
}

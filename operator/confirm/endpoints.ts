/** What is read of an EndpointSlice (discovery.k8s.io/v1). */
export interface EndpointSlice {
  readonly metadata: {
    readonly name?: string;
    readonly namespace?: string;
    readonly resourceVersion?: string;
  };
  readonly addressType?: string;
  readonly endpoints?: readonly {
    readonly addresses?: readonly string[];
    readonly conditions?: { readonly ready?: boolean; readonly terminating?: boolean };
    readonly targetRef?: { readonly name?: string };
  }[];
  readonly ports?: readonly { readonly name?: string; readonly port?: number }[];
}

/** One ready receiver. */
export interface ReceiverEndpoint {
  /** The pod's name, or its address where none is told. */
  readonly name: string;
  /** Base address of its admin port. */
  readonly url: string;
}

/** The port's name in the receivers' Service. */
const ADMIN_PORT = 'admin';

/** The ready receivers of one slice. Per the API, `ready` left out means ready. */
export function readyReceivers(slice: EndpointSlice): readonly ReceiverEndpoint[] {
  const port = slice.ports?.find((one) => one.name === ADMIN_PORT)?.port;
  if (port === undefined) return [];
  return (slice.endpoints ?? []).flatMap(({ addresses, conditions, targetRef }) => {
    const address = addresses?.[0];
    if (address === undefined || conditions?.ready === false) return [];
    const host = slice.addressType === 'IPv6' ? `[${address}]` : address;
    return [{ name: targetRef?.name ?? address, url: `http://${host}:${port}` }];
  });
}

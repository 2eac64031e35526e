import type { Destination } from '../routing/table.ts';
import { compileSigner, type MessageSigner } from '../verify/sign.ts';
import { type Endpoint, endpointOf } from './endpoint.ts';
import type { Failure } from './outbound.ts';
import { RenderError, type Rendered } from './renderer.ts';

/** A request with its signature. */
export interface Signed {
  readonly headers: Readonly<Record<string, string>>;
  /** What the address has to have in its query. */
  readonly query?: string;
}

/** Signs requests on their way out, anew at each attempt. */
export interface Signing {
  /**
   * Signs what goes to a destination: as it is where that asks for no signature, a Failure where no key is in force.
   * `id` is the same at each attempt, `now` (milliseconds) the attempt's own. Throws RenderError where the scheme cannot
   * sign such content.
   */
  sign(destination: Destination, rendered: Rendered, id: string, now: number): Signed | Failure;
}

interface Prepared {
  readonly signer: MessageSigner;
  readonly endpoint: Endpoint;
}

const FIELD = 'spec.target.sink.sign';
const NO_KEY: Failure = { code: 'NoAnswer', message: `not sent: ${FIELD} has no key that is in force` };

/** Makes a Signing that compiles each destination's signer once. */
export function createSigning(): Signing {
  const prepared = new WeakMap<Destination, Prepared>();

  function prepare(destination: Destination, sign: NonNullable<Destination['sign']>): Prepared {
    const known = prepared.get(destination);
    if (known !== undefined) return known;
    const signer = compileSigner(sign, FIELD);
    const endpoint = endpointOf(destination);
    if (!signer.ok) throw new RenderError(FIELD, signer.findings.map(({ message }) => message).join('; '));
    if (endpoint === undefined) throw new RenderError('spec.target.sink', 'the address is not valid');
    const made = { signer: signer.value, endpoint };
    prepared.set(destination, made);
    return made;
  }

  return {
    sign(destination, { path, headers, body }, id, now) {
      if (destination.sign === undefined) return { headers };
      const { signer, endpoint } = prepare(destination, destination.sign);
      const sent = asSent(headers, destination);
      const query = signer.query({ headers: sent, body });
      try {
        const url = endpoint.url(path, query);
        const proof = signer.sign({ id, timestamp: now, body, url, headers: sent });
        if (proof === undefined) return NO_KEY;
        return { headers: { ...headers, ...proof }, ...(query === undefined ? {} : { query }) };
      } catch (error) {
        throw new RenderError(FIELD, error instanceof Error ? error.message : String(error));
      }
    },
  };
}

/** The headers as they leave: a destination's own win. */
function asSent(own: Readonly<Record<string, string>>, destination: Destination): Record<string, string> {
  const sent: Record<string, string> = {};
  for (const [name, value] of Object.entries(own)) sent[name.toLowerCase()] = value;
  for (const { name, value } of destination.headers) sent[name.toLowerCase()] = value;
  return sent;
}

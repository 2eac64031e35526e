import { ADMIN_TOKEN_KEY } from '../../receiver/http/admin-token.ts';
import { isStatus } from '../../receiver/kube/api-error.ts';
import type { KubeClient } from '../../receiver/kube/client.ts';
import { corePath } from '../../receiver/kube/collection.ts';

/** The Secret whose token both the operator and the receivers read. */
export const ADMIN_TOKEN_SECRET = 'signalbox-admin';

interface TokenSecret {
  readonly metadata: { readonly resourceVersion: string };
  readonly data?: Readonly<Record<string, string>>;
}

/** The admin token, read once; anew when a `fresh` one is asked for. */
export function createAdminToken(
  client: KubeClient,
  namespace: string,
  make: () => string,
): (fresh: boolean) => Promise<string> {
  let token: Promise<string> | undefined;
  return async (fresh) => {
    if (fresh) token = undefined;
    token ??= readAdminToken(client, namespace, make);
    // One that could not be read is asked for anew the next time.
    token.catch(() => {
      token = undefined;
    });
    return token;
  };
}

/**
 * Reads the admin token. The chart brings its Secret empty: then it is filled; where there is none it is created. `make`
 * gives a new token. Throws where the Secret can neither be read nor be written.
 */
export async function readAdminToken(
  client: KubeClient,
  namespace: string,
  make: () => string,
): Promise<string> {
  const path = corePath('secrets', namespace, ADMIN_TOKEN_SECRET);
  const read = () => client.json<TokenSecret>({ path });
  const body = { stringData: { [ADMIN_TOKEN_KEY]: make() } };
  try {
    const found = await read();
    const token = tokenOf(found);
    if (token !== '') return token;
    const { resourceVersion } = found.metadata;
    const contentType = 'application/merge-patch+json';
    const filling = {
      method: 'PATCH',
      path,
      contentType,
      body: { ...body, metadata: { resourceVersion } },
    } as const;
    return tokenOf(await client.json<TokenSecret>(filling));
  } catch (error) {
    // Another operator was quicker: its token counts.
    if (isStatus(error, 409)) return tokenOf(await read());
    if (!isStatus(error, 404)) throw error;
  }
  try {
    const labels = { 'app.kubernetes.io/part-of': 'signalbox' };
    const metadata = { name: ADMIN_TOKEN_SECRET, namespace, labels };
    const making = { apiVersion: 'v1', kind: 'Secret', metadata, ...body };
    const answer = { method: 'POST', path: corePath('secrets', namespace), body: making } as const;
    return tokenOf(await client.json<TokenSecret>(answer));
  } catch (error) {
    if (!isStatus(error, 409)) throw error;
    return tokenOf(await read());
  }
}

/** '' where there is none yet. */
function tokenOf(secret: TokenSecret): string {
  return Buffer.from(secret.data?.[ADMIN_TOKEN_KEY] ?? '', 'base64')
    .toString()
    .trim();
}

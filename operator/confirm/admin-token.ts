import { isStatus } from '../../receiver/kube/api-error.ts';
import type { KubeClient } from '../../receiver/kube/client.ts';
import { corePath } from '../../receiver/kube/collection.ts';

/** The Secret whose token both the operator and the receivers mount or read, and the key in it. */
export const ADMIN_TOKEN_SECRET = 'signalbox-admin';
export const ADMIN_TOKEN_KEY = 'token';

interface TokenSecret {
  readonly data?: Readonly<Record<string, string>>;
}

/**
 * Reads the admin token, and creates its Secret where there is none. `make` gives a new token.
 * Throws where the Secret can neither be read nor be created, or holds no token.
 */
export async function readAdminToken(
  client: KubeClient,
  namespace: string,
  make: () => string,
): Promise<string> {
  const path = corePath('secrets', namespace, ADMIN_TOKEN_SECRET);
  try {
    return tokenOf(await client.json<TokenSecret>({ path }));
  } catch (error) {
    if (!isStatus(error, 404)) throw error;
  }
  try {
    const body = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: ADMIN_TOKEN_SECRET, namespace, labels: { 'app.kubernetes.io/part-of': 'signalbox' } },
      stringData: { [ADMIN_TOKEN_KEY]: make() },
    };
    return tokenOf(
      await client.json<TokenSecret>({ method: 'POST', path: corePath('secrets', namespace), body }),
    );
  } catch (error) {
    // Another operator was quicker: its token counts.
    if (!isStatus(error, 409)) throw error;
    return tokenOf(await client.json<TokenSecret>({ path }));
  }
}

function tokenOf(secret: TokenSecret): string {
  const token = Buffer.from(secret.data?.[ADMIN_TOKEN_KEY] ?? '', 'base64')
    .toString()
    .trim();
  if (token === '')
    throw new Error(`Secret ${ADMIN_TOKEN_SECRET} holds no token: delete it, and one is made anew`);
  return token;
}

import { isIP } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';

/** A KubeConfig from a kubeconfig's text. Throws where the text is none. */
export function kubeConfigFromText(text: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromString(text);
  return config;
}

/** There is no kubeconfig that can be used; the message says which one was looked for, and the remedy. */
export class KubeConfigError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'KubeConfigError';
  }
}

/** What the library calls the context that it makes up where it has found nothing. */
const MADE_UP = 'loaded-context';

/**
 * A KubeConfig from the file at `path`; without one, as every Kubernetes tool finds it. Whether its API server answers is
 * not asked.
 * @throws KubeConfigError
 */
export function kubeConfigFrom(path: string | undefined): KubeConfig {
  const name = path ?? (process.env['KUBECONFIG'] || '~/.kube/config');
  const config = new KubeConfig();
  try {
    if (path === undefined) config.loadFromDefault();
    else config.loadFromFile(path);
  } catch (error) {
    throw new KubeConfigError(`The kubeconfig ${unusable(name, error)}; ${REMEDY}.`, error);
  }
  if (path === undefined && config.getCurrentContext() === MADE_UP)
    throw new KubeConfigError(`There is no kubeconfig, and this is no pod of a cluster; ${REMEDY}.`);
  const server = config.getCurrentCluster()?.server;
  if (server === undefined)
    throw new KubeConfigError(
      `The kubeconfig ${name} names no cluster; give it a current-context that has one.`,
    );
  if (!URL.canParse(server))
    throw new KubeConfigError(
      `The kubeconfig ${name} has the server ${server}, which is no URL; correct it.`,
    );
  return config;
}

const REMEDY = 'name one with --kubeconfig or in KUBECONFIG';

function unusable(name: string, error: unknown): string {
  const { code, path, message } = error as NodeJS.ErrnoException;
  // KUBECONFIG may list several.
  if (code !== undefined) return `${path ?? name} cannot be read (${code})`;
  // Only the parser's own words: what it quotes comes from the file, which holds credentials.
  return `${name} cannot be understood (${message.replace(/\s*["!*&<\n].*$/s, '')})`;
}

/** The API server's address, where the kubeconfig has it as a literal: what no delivery may reach. */
export function apiServerAddress(
  config: KubeConfig,
): readonly { readonly address: string; readonly port: number }[] {
  const server = config.getCurrentCluster()?.server;
  if (server === undefined) return [];
  const url = new URL(server);
  const address = url.hostname.replace(/^\[|\]$/g, '');
  return isIP(address) === 0
    ? []
    : [{ address, port: Number(url.port || (url.protocol === 'https:' ? 443 : 80)) }];
}

import { isIP } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';

/** A KubeConfig from a kubeconfig's text. Throws where the text is none. */
export function kubeConfigFromText(text: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromString(text);
  return config;
}

/** A KubeConfig from the file at `path`; without one, as every Kubernetes tool finds it. */
export function kubeConfigFrom(path: string | undefined): KubeConfig {
  const config = new KubeConfig();
  if (path === undefined) config.loadFromDefault();
  else config.loadFromFile(path);
  return config;
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

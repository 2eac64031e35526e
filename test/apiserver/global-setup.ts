import type { TestProject } from 'vitest/node';
import { findAssets } from './assets.ts';
import { applyDefinitions } from './definitions.ts';
import { startApiServer } from './server.ts';

const say = (line: string): void => void process.stderr.write(`API server: ${line}\n`);

/** Starts one API server for the whole run; suites that need it are left out, by name, where there is none. */
export default async function setup({ provide }: TestProject): Promise<(() => Promise<void>) | undefined> {
  const assets = await findAssets(process.env, say);
  if (!assets.found) {
    say(assets.reason);
    provide('apiServer', { missing: assets.reason });
    return undefined;
  }
  const server = await startApiServer(assets.programs);
  try {
    await applyDefinitions(server);
  } catch (error) {
    await server.stop();
    throw error;
  }
  const { url, token, caCert, kubeconfig, kubeconfigFile, programs } = server;
  provide('apiServer', { server: { url, token, caCert, kubeconfig, kubeconfigFile, programs } });
  return server.stop;
}

import type { KubeConfig } from '@kubernetes/client-node';
import { KubeConfigError, kubeConfigFrom } from '../../receiver/kube/config.ts';
import { CommandError, EXIT } from '../exit-codes.ts';

/** The kubeconfig at `path`, or as kubectl finds it. Throws CommandError where there is none to be had. */
export function usableKubeConfig(path: string | undefined): KubeConfig {
  try {
    return kubeConfigFrom(path);
  } catch (error) {
    throw error instanceof KubeConfigError ? new CommandError(error.message, EXIT.failed, error) : error;
  }
}

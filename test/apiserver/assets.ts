import { join } from 'node:path';
import { findProgram, isProgram, type Recipe, type Say } from '../assets/go-program.ts';

/** The programs of a control plane without nodes. */
export const PROGRAMS = ['etcd', 'kube-apiserver', 'kubectl'] as const;
export type Program = (typeof PROGRAMS)[number];

/** Where each program lies, or why the tests have to do without. */
export type Assets =
  | { readonly found: true; readonly programs: Readonly<Record<Program, string>> }
  | { readonly found: false; readonly reason: string };

const KUBERNETES = 'v1.35.4';
// Without them the server calls itself v0.0.0 and refuses feature gates.
const KUBERNETES_LDFLAGS = ['gitVersion=v1.35.4', 'gitMajor=1', 'gitMinor=35']
  .map((value) => `-X k8s.io/component-base/version.${value}`)
  .join(' ');

const RECIPES: Readonly<Record<Program, Recipe>> = {
  etcd: { module: 'etcd', package: 'go.etcd.io/etcd/server/v3', ldflags: '', minutes: 1 },
  'kube-apiserver': {
    module: 'kubernetes',
    version: KUBERNETES,
    package: 'k8s.io/kubernetes/cmd/kube-apiserver',
    ldflags: KUBERNETES_LDFLAGS,
    minutes: 4,
  },
  kubectl: {
    module: 'kubernetes',
    version: KUBERNETES,
    package: 'k8s.io/kubernetes/cmd/kubectl',
    ldflags: KUBERNETES_LDFLAGS,
    minutes: 1,
  },
};

const REMEDY = `set KUBEBUILDER_ASSETS to a folder with ${PROGRAMS.join(', ')}`;

/**
 * Finds etcd, kube-apiserver and kubectl: in `KUBEBUILDER_ASSETS`, else in the cache (`SIGNALBOX_ASSETS`, by default
 * `~/.cache/signalbox-assets`), else builds what the cache lacks from its Go module, once per machine.
 */
export async function findAssets(env: NodeJS.ProcessEnv, say: Say): Promise<Assets> {
  const given = env['KUBEBUILDER_ASSETS'];
  if (given !== undefined && given !== '') {
    const missing = PROGRAMS.filter((program) => !isProgram(join(given, program)));
    if (missing.length === 0) return found(given);
    return { found: false, reason: `KUBEBUILDER_ASSETS is ${given}, which lacks ${missing.join(', ')}` };
  }
  const programs: Partial<Record<Program, string>> = {};
  for (const program of PROGRAMS) {
    const built = await findProgram(program, RECIPES[program], env, say);
    if (!built.found) return { found: false, reason: `${built.reason} (or ${REMEDY})` };
    programs[program] = built.path;
  }
  return { found: true, programs: programs as Record<Program, string> };
}

function found(folder: string): Assets {
  const programs = Object.fromEntries(PROGRAMS.map((program) => [program, join(folder, program)]));
  return { found: true, programs: programs as Record<Program, string> };
}

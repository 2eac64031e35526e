import { command } from './command.ts';

/** What the release under test is called, and its namespace. */
export const RELEASE = 'signalbox';
export const NAMESPACE = 'signalbox-e2e';

const PATIENCE = ['--wait', '--timeout', '180s'] as const;
const CHART = new URL('../../charts/signalbox', import.meta.url).pathname;

/** kubectl in the release's namespace. */
export function inRelease(...args: readonly string[]): Promise<string> {
  return command('kubectl', ['--namespace', NAMESPACE, ...args]);
}

/** The image as the cluster has it. */
export function image(): string {
  const name = process.env['SIGNALBOX_IMAGE'];
  if (name === undefined || name === '')
    throw new Error('SIGNALBOX_IMAGE is not set: name the image to test, as the cluster can pull it');
  return name;
}

/** Installs the chart, or upgrades it, and waits until it is there. */
export async function install(...more: readonly string[]): Promise<string> {
  const [repository = '', tag = ''] = image().split(/:(?=[^:/]*$)/);
  const values = [
    `image.repository=${repository}`,
    `image.tag=${tag}`,
    'operator.replicas=2',
    'crds.keep=false',
    'networkPolicy.clusterNamespaces={*}',
    ...more,
  ];
  const where = ['--namespace', NAMESPACE, '--create-namespace'];
  const set = values.flatMap((value) => ['--set', value]);
  return command('helm', ['upgrade', '--install', RELEASE, CHART, ...where, ...PATIENCE, ...set]);
}

/** Goes back to the revision before, and waits until it is there. */
export async function rollback(): Promise<void> {
  await command('helm', ['rollback', RELEASE, '--namespace', NAMESPACE, ...PATIENCE]);
}

/** Removes the release. Its namespace stays, with the journal's volume and what others have put there. */
export async function remove(): Promise<void> {
  await command('helm', ['uninstall', RELEASE, '--namespace', NAMESPACE, '--wait', '--ignore-not-found']);
}

/** Removes the release with all that it left. */
export async function uninstall(): Promise<void> {
  await remove();
  await command('kubectl', ['delete', 'namespace', NAMESPACE, '--ignore-not-found', '--timeout=120s']);
}

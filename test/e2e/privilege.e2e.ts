import { describe, expect, test } from 'vitest';
import { command } from './command.ts';
import { NAMESPACE, RELEASE } from './release.ts';

/** What the API server says to the account: asked as it would be asked, and not read from the roles. */
async function may(account: string, verb: string, what: string, namespace = NAMESPACE): Promise<boolean> {
  const as = `--as=system:serviceaccount:${NAMESPACE}:${account}`;
  const answer = await command('kubectl', [
    'auth',
    'can-i',
    verb,
    ...what.split(' '),
    '--namespace',
    namespace,
    as,
  ]).catch((error: Error) => {
    // `no` is exit code 1.
    if (!/ended with 1|^Warning/m.test(error.message)) throw error;
    return 'no';
  });
  return answer.trim() === 'yes';
}

type Call = readonly [verb: string, what: string, namespace?: string];

async function allowed(account: string, calls: readonly Call[]): Promise<readonly string[]> {
  const granted: string[] = [];
  for (const [verb, what, namespace] of calls)
    if (await may(account, verb, what, namespace)) granted.push([verb, what, namespace].join(' ').trim());
  return granted;
}

describe('least privilege', () => {
  test('the receiver reads its routing table and its admin token, and nothing else', async () => {
    const account = `${RELEASE}-receiver`;
    const needed: readonly Call[] = [
      ['get', 'secrets/signalbox-routing-index'],
      ['watch', 'secrets/signalbox-routing-index'],
      ['get', 'secrets/signalbox-routing-63'],
      ['get', 'secrets/signalbox-admin'],
    ];
    expect(await allowed(account, needed)).toHaveLength(needed.length);
    expect(
      await allowed(account, [
        ['patch', 'secrets/signalbox-admin'],
        ['list', 'secrets'],
        ['get', 'secrets/other'],
        ['get', 'secrets/signalbox-routing-index', 'default'],
        ['update', 'secrets/signalbox-routing-index'],
        ['patch', 'secrets/signalbox-routing-00'],
        ['get', 'eventtriggers.signalbox.dev'],
        ['get', 'configmaps'],
        ['create', 'pods'],
        ['get', 'leases.coordination.k8s.io'],
      ]),
    ).toEqual([]);
  });

  test('the operator writes statuses, Events, its Lease and the routing Secrets, and nothing else', async () => {
    const account = `${RELEASE}-operator`;
    const needed: readonly Call[] = [
      ['get', 'secrets/any', 'default'],
      ['patch', 'eventtriggers.signalbox.dev/any --subresource=status', 'default'],
      ['patch', 'secrets/signalbox-routing-index'],
      ['update', 'leases.coordination.k8s.io/signalbox-operator'],
      ['create', 'events', 'default'],
    ];
    expect(await allowed(account, needed)).toHaveLength(needed.length);
    expect(
      await allowed(account, [
        ['create', 'secrets'],
        ['create', 'secrets', 'default'],
        ['delete', 'secrets/signalbox-routing-index'],
        ['patch', 'secrets/other'],
        ['patch', 'secrets/signalbox-routing-index', 'default'],
        ['update', 'eventtriggers.signalbox.dev', 'default'],
        ['delete', 'eventtriggers.signalbox.dev', 'default'],
        ['update', 'leases.coordination.k8s.io/other'],
        ['create', 'pods'],
        ['get', 'pods'],
        ['create', 'serviceaccounts/token'],
        ['bind', 'roles.rbac.authorization.k8s.io'],
      ]),
    ).toEqual([]);
  });
});

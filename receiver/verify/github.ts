import { firstOf, header, member, type PayloadRule, scalarText, valueAt } from './payload-rules.ts';
import type { Scheme } from './scheme.ts';

const event = header('X-GitHub-Event');
const action = member('action');

const type: PayloadRule = (payload) => {
  const name = event(payload);
  if (name === undefined) return undefined;
  const done = action(payload);
  return done === undefined ? `com.github.${name}` : `com.github.${name}.${done}`;
};

/** Where the thing that an event is about is not found under the event's own name (the CloudEvents adapter's table). */
const SUBJECTS: ReadonlyMap<string, readonly string[]> = new Map([
  ['push', ['ref']],
  ['create', ['ref']],
  ['delete', ['ref']],
  ['issues', ['issue', 'number']],
  ['issue_comment', ['comment', 'id']],
  ['commit_comment', ['comment', 'id']],
  ['discussion_comment', ['comment', 'id']],
  ['pull_request_review', ['review', 'id']],
  ['pull_request_review_comment', ['comment', 'id']],
  ['deploy_key', ['key', 'id']],
  ['fork', ['forkee', 'id']],
  ['installation_repositories', ['installation', 'id']],
  ['label', ['label', 'name']],
  ['member', ['member', 'login']],
  ['membership', ['member', 'login']],
  ['org_block', ['blocked_user', 'login']],
  ['organization', ['membership', 'user', 'login']],
  ['page_build', ['build', 'url']],
  ['public', ['repository', 'name']],
  ['repository', ['repository', 'name']],
  ['repository_import', ['repository', 'name']],
  ['repository_vulnerability_alert', ['alert', 'id']],
  ['dependabot_alert', ['alert', 'number']],
  ['code_scanning_alert', ['alert', 'number']],
  ['secret_scanning_alert', ['alert', 'number']],
  ['security_advisory', ['security_advisory', 'ghsa_id']],
  ['status', ['sha']],
  ['team_add', ['team', 'id']],
  ['ping', ['hook_id']],
  ['meta', ['hook_id']],
]);

const subject: PayloadRule = (payload) => {
  const name = event(payload);
  if (name === undefined) return undefined;
  const known = SUBJECTS.get(name);
  if (known !== undefined) return scalarText(valueAt(payload.data, known));
  const thing = valueAt(payload.data, [name]);
  return scalarText(valueAt(thing, ['number'])) ?? scalarText(valueAt(thing, ['id']));
};

/** `X-Hub-Signature-256: sha256=…`; the delivery id stays the same when GitHub delivers again. */
export const github: Scheme = {
  proof: { recipes: () => [{ header: 'X-Hub-Signature-256', prefix: 'sha256=' }] },
  payload: {
    type,
    id: header('X-GitHub-Delivery'),
    source: firstOf(member('repository', 'html_url'), member('organization', 'html_url')),
    subject,
  },
  providerId: true,
  binary: 'Ignore',
  lenientEvents: false,
};

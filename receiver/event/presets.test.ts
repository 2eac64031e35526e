import { describe, expect, it } from 'vitest';
import type { EndpointEntry } from '../routing/table.ts';
import { endpointEntry } from '../routing/testing.ts';
import { requestOf } from '../verify/testing.ts';
import { compileEventMapping } from './payload.ts';

/*
 * What each provider's payload becomes (the table of reference/signatures.md).
 */

function eventOf(entry: Partial<EndpointEntry>, headers: Record<string, string>, body: unknown) {
  const compiled = compileEventMapping(endpointEntry({ publicUrl: 'https://a', ...entry }));
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.findings));
  const bytes = typeof body === 'string' ? body : JSON.stringify(body);
  const type = typeof body === 'string' ? 'application/x-www-form-urlencoded' : 'application/json';
  return compiled.value(requestOf({ 'content-type': type, ...headers }, bytes), 0, () => 'unique-1');
}

function attributesOf(scheme: string, headers: Record<string, string>, body: unknown) {
  const {
    specversion: _,
    datacontenttype: __,
    ...attributes
  } = eventOf({ scheme }, headers, body).attributes;
  return attributes;
}

describe('GitLab payloads', () => {
  const project = { web_url: 'https://gitlab.example/g/p' };

  it.each([
    [{ object_kind: 'push', checkout_sha: 'da15', ref: 'refs/heads/main' }, 'push', 'da15'],
    [{ object_kind: 'tag_push', checkout_sha: 'da15', ref: 'refs/tags/v1' }, 'tag_push', 'refs/tags/v1'],
    [{ object_kind: 'issue', object_attributes: { id: 301, iid: 23 } }, 'issue', '301'],
    [{ object_kind: 'build', build_id: 1977, ref: 'main' }, 'build', '1977'],
  ])('%#: %o', (body, type, subject) => {
    const headers = { 'X-Gitlab-Event-UUID': 'uuid-1', 'Idempotency-Key': 'idem-1' };
    expect(attributesOf('GitLab', headers, { ...body, project })).toEqual({
      id: 'idem-1',
      type: `com.gitlab.${type}`,
      source: 'https://gitlab.example/g/p',
      subject,
    });
  });

  it('have the id of the delivery, and not one that no token signs', () => {
    const headers = { 'webhook-id': 'msg_1', 'Idempotency-Key': 'idem-1' };
    expect(attributesOf('GitLab', headers, { object_kind: 'push' })['id']).toBe('idem-1');
  });

  it('go by the event where an old GitLab names no delivery', () => {
    const attributes = attributesOf('GitLab', { 'X-Gitlab-Event-UUID': 'uuid-1' }, { object_kind: 'push' });
    expect(attributes).toEqual({ id: 'uuid-1', type: 'com.gitlab.push', source: '/e/shop.hooks' });
  });
});

describe('Slack payloads', () => {
  const headers = { 'X-Slack-Signature': 'v0=00', 'X-Slack-Request-Timestamp': '1531420618' };

  it('of events are named by the event', () => {
    const body = {
      type: 'event_callback',
      event_id: 'Ev123',
      event_time: 1_515_449_522,
      team_id: 'T1',
      event: { type: 'app_mention', channel: 'C1', user: 'U1' },
    };
    expect(attributesOf('Slack', headers, body)).toEqual({
      id: 'Ev123',
      type: 'com.slack.app_mention',
      source: 'https://slack.com/team/T1',
      subject: 'C1',
      time: '2018-01-08T22:12:02Z',
    });
    const joined = { ...body, event: { type: 'team_join', user: { id: 'U2' } } };
    expect(attributesOf('Slack', headers, joined)['subject']).toBe('U2');
  });

  it('of interactions are JSON in a form: read as JSON, kept as bytes, known again by what is signed', () => {
    const json = JSON.stringify({ type: 'block_actions', team: { id: 'T1' }, user: { id: 'U1' } });
    const form = `payload=${encodeURIComponent(json)}`;
    const event = eventOf({ scheme: 'Slack' }, headers, form);
    expect(event.attributes).toMatchObject({
      type: 'com.slack.block_actions',
      source: 'https://slack.com/team/T1',
      subject: 'U1',
      id: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(event.data).toEqual(JSON.parse(json));
    expect(event.body?.toString()).toBe(form);
    expect(eventOf({ scheme: 'Slack' }, headers, form).id).toBe(event.id);
    const later = { ...headers, 'X-Slack-Request-Timestamp': '1531420619' };
    expect(eventOf({ scheme: 'Slack' }, later, form).id).not.toBe(event.id);
  });

  it('of commands are forms', () => {
    const event = eventOf(
      { scheme: 'Slack' },
      headers,
      'command=%2Fweather&text=94070&channel_id=C1&team_id=T1',
    );
    expect(event.attributes).toMatchObject({ type: 'com.slack.command', subject: 'C1' });
    expect(event.data).toMatchObject({ command: '/weather', text: '94070' });
  });
});

describe('Shopify payloads', () => {
  it('are named by their topic', () => {
    const headers = {
      'X-Shopify-Topic': 'orders/create',
      'X-Shopify-Webhook-Id': 'b54557e4',
      'X-Shopify-Shop-Domain': 'a.myshopify.com',
      'X-Shopify-Triggered-At': '2023-03-29T18:00:27.877041743Z',
    };
    expect(attributesOf('Shopify', headers, { id: 820_982_911_946_154_500 })).toMatchObject({
      id: 'b54557e4',
      type: 'com.shopify.orders.create',
      source: 'https://a.myshopify.com',
      subject: '820982911946154500',
      time: '2023-03-29T18:00:27.877041743Z',
    });
  });
});

describe('Twilio payloads', () => {
  const headers = { 'I-Twilio-Idempotency-Token': 'tok-1' };

  it.each([
    ['AccountSid=AC1&MessageSid=SM1&MessageStatus=sent', 'message.sent', 'SM1'],
    ['AccountSid=AC1&SmsSid=SM2&SmsStatus=received&Body=Hi', 'message.received', 'SM2'],
    ['AccountSid=AC1&CallSid=CA1&CallStatus=completed', 'call.completed', 'CA1'],
  ])('are named by what they are about: %s', (form, type, subject) => {
    expect(attributesOf('Twilio', headers, form)).toEqual({
      id: 'tok-1',
      type: `com.twilio.${type}`,
      source: 'https://api.twilio.com/accounts/AC1',
      subject,
    });
  });
});

describe('OJS payloads', () => {
  it('keep their attributes', () => {
    const body = {
      type: 'job.completed',
      id: 'evt_1',
      source: '/ojs/backend/redis',
      subject: 'job-1',
      time: '2026-02-12T10:30:00Z',
    };
    expect(attributesOf('OJS', {}, body)).toEqual({ ...body, type: 'org.openjobspec.job.completed' });
    const full = { ...body, type: 'org.openjobspec.job.completed' };
    expect(attributesOf('OJS', {}, full)).toEqual(full);
  });
});

describe('payloads of senders that are not known', () => {
  it.each(['Convoy', 'EmporixCommerce', 'Basic', 'Bearer', 'JWT'])(
    'go by their own type and id: %s',
    (scheme) => {
      expect(attributesOf(scheme, {}, { type: 'order.created', id: 7 })).toEqual({
        id: '7',
        type: 'order.created',
        source: '/e/shop.hooks',
      });
      expect(attributesOf(scheme, {}, {})).toEqual({
        id: 'unique-1',
        type: 'dev.signalbox.shop.hooks',
        source: '/e/shop.hooks',
      });
    },
  );
});

describe('binary mode', () => {
  const forged = { 'ce-specversion': '1.0', 'ce-id': 'x', 'ce-type': 'forged', 'ce-source': '/x' };

  it.each(['GitHub', 'GitLab', 'Shopify', 'EmporixCommerce', 'Twilio'])(
    'is ignored where ce- headers are not signed: %s',
    (scheme) => {
      expect(attributesOf(scheme, forged, {})['type']).not.toBe('forged');
      const taken = eventOf({ scheme, event: { binary: 'Accept' } }, forged, {});
      expect(taken.type).toBe('forged');
    },
  );

  it.each(['Slack', 'StandardWebhooks', 'OJS', 'Convoy', 'SignedHeaders', 'Basic', 'Bearer', 'JWT'])(
    'is taken elsewhere: %s',
    (scheme) => {
      expect(attributesOf(scheme, forged, {})['type']).toBe('forged');
    },
  );
});

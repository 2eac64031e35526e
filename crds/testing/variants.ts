import { API_VERSION, type Kind } from '../group.ts';

/** A spec that must be refused, and the field that the refusal has to name. */
export interface BrokenVariant {
  readonly name: string;
  readonly kind: Kind;
  readonly spec: unknown;
  readonly field: string;
}

/** A spec that must be taken. */
export interface SoundVariant {
  readonly name: string;
  readonly kind: Kind;
  readonly spec: unknown;
}

/** A spec as a manifest. */
export function manifest(kind: Kind, name: string, spec: unknown): Record<string, unknown> {
  return { apiVersion: API_VERSION, kind, metadata: { name, namespace: 'default' }, spec };
}

const SINK = { uri: 'http://sink.example' };
const KEY = { secretKeyRef: { name: 'all', key: 'key' } };
const SECRETS = [{ name: 'current', ...KEY }];
const JWT = {
  issuer: 'https://issuer.example',
  audiences: ['signalbox'],
  jwksUri: 'https://issuer.example/jwks',
};
const CREATED = { exact: { type: 'order.created' } };
const LONG = 'a'.repeat(5000);

type Broken = readonly [name: string, spec: unknown, field: string];
type Sound = readonly [name: string, spec: unknown];

const job = (members: object) => ({ target: { job: { uri: 'http://ojs.example', ...members } } });
const sink = (members: object) => ({ target: { sink: { ...SINK, ...members } } });
const step = (members: object) => ({ steps: [{ name: 'first', target: { sink: SINK }, ...members }] });
const waiting = (waitFor: object, trigger: object = {}) => ({ ...step({ waitFor }), ...trigger });
const filters = (...list: unknown[]) => ({ ...sink({}), filters: list });
const github = (members: object) => ({ scheme: 'GitHub', secrets: SECRETS, ...members });
const recipe = (members: object) => ({
  scheme: 'HMAC',
  secrets: SECRETS,
  hmac: { header: 'X-Sig', ...members },
});
const ojs = (members: object) => ({ source: { ojs: { uri: 'http://ojs.example', ...members } } });
const nested = (depth: number): unknown => (depth === 1 ? CREATED : { all: [nested(depth - 1)] });

const BROKEN_TRIGGERS: readonly Broken[] = [
  ['neither target nor steps', {}, 'spec.target'],
  ['target beside steps', { ...step({}), ...sink({}) }, 'spec.target'],
  ['a target of both kinds', { target: { job: { uri: 'http://a.example' }, sink: SINK } }, 'spec.target'],
  ['a target of no kind', { target: {} }, 'spec.target'],
  ['a target of an unknown kind', { target: { lambda: {} } }, 'spec.target.lambda'],
  ['a misspelt field', { ...sink({}), filtres: [] }, 'spec.filtres'],
  ['a field of another type', { ...sink({}), suspend: 'yes' }, 'spec.suspend'],
  ['a list in place of an object', { target: [] }, 'spec.target'],
  ['a negative retry', { ...sink({}), delivery: { retry: -1 } }, 'spec.delivery.retry'],
  ['half a retry', { ...sink({}), delivery: { retry: 1.5 } }, 'spec.delivery.retry'],
  ['a retry in words', { ...sink({}), delivery: { retry: 'ten' } }, 'spec.delivery.retry'],
  [
    'an unknown backoff',
    { ...sink({}), delivery: { backoffPolicy: 'quadratic' } },
    'spec.delivery.backoffPolicy',
  ],
  ['a delay without unit', { ...sink({}), delivery: { backoffDelay: '5' } }, 'spec.delivery.backoffDelay'],
  ['a delay of months', { ...sink({}), delivery: { backoffDelay: 'P1M' } }, 'spec.delivery.backoffDelay'],
  ['a delay cut short', { ...sink({}), delivery: { backoffDelay: 'P1DT' } }, 'spec.delivery.backoffDelay'],
  ['an empty delay', { ...sink({}), delivery: { backoffDelay: '' } }, 'spec.delivery.backoffDelay'],
  ['no concurrency', { ...sink({}), delivery: { concurrency: 0 } }, 'spec.delivery.concurrency'],
  [
    'a rate of nothing',
    { ...sink({}), delivery: { rateLimit: { requests: 0 } } },
    'spec.delivery.rateLimit.requests',
  ],
  ['a rate without number', { ...sink({}), delivery: { rateLimit: {} } }, 'spec.delivery.rateLimit.requests'],
  ['an unknown ordering', { ...sink({}), delivery: { ordering: 'perSubject' } }, 'spec.delivery.ordering'],
  [
    'a dead letter sink without address',
    { ...sink({}), delivery: { deadLetterSink: {} } },
    'spec.delivery.deadLetterSink',
  ],
  ['a sink without address', { target: { sink: {} } }, 'spec.target.sink'],
  ['a relative uri alone', { target: { sink: { uri: '/done' } } }, 'spec.target.sink.uri'],
  ['another protocol', { target: { sink: { uri: 'ftp://a.example' } } }, 'spec.target.sink.uri'],
  ['a uri with a space', { target: { sink: { uri: 'http://a.example/b c' } } }, 'spec.target.sink.uri'],
  [
    'an absolute uri beside a ref',
    sink({ ref: { apiVersion: 'v1', kind: 'Service', name: 'a' } }),
    'spec.target.sink.uri',
  ],
  [
    'a ref without kind',
    { target: { sink: { ref: { apiVersion: 'v1', name: 'a' } } } },
    'spec.target.sink.ref.kind',
  ],
  [
    'a ref elsewhere',
    { target: { sink: { ref: { apiVersion: 'v1', kind: 'Service', name: 'a', namespace: 'b' } } } },
    'spec.target.sink.ref.namespace',
  ],
  ['an unknown format', sink({ format: 'batch' }), 'spec.target.sink.format'],
  ['a header without value', sink({ headers: [{ name: 'X-Key' }] }), 'spec.target.sink.headers[0]'],
  [
    'a header of two values',
    sink({ headers: [{ name: 'X-Key', value: 'a', ...KEY }] }),
    'spec.target.sink.headers[0]',
  ],
  [
    'a header twice',
    sink({
      headers: [
        { name: 'X-Key', value: 'a' },
        { name: 'X-Key', value: 'b' },
      ],
    }),
    'spec.target.sink.headers[1]',
  ],
  [
    'a header with a line break',
    sink({ headers: [{ name: 'X-Key', value: 'a\nb' }] }),
    'spec.target.sink.headers[0].value',
  ],
  ['a signature without keys', sink({ sign: { scheme: 'GitHub' } }), 'spec.target.sink.sign.secrets'],
  [
    'a signature of an unknown scheme',
    sink({ sign: { scheme: 'Gitub', secrets: SECRETS } }),
    'spec.target.sink.sign.scheme',
  ],
  [
    'a signature HMAC without recipe',
    sink({ sign: { scheme: 'HMAC', secrets: SECRETS } }),
    'spec.target.sink.sign',
  ],
  [
    'a recipe beside a preset',
    sink({ sign: { scheme: 'GitHub', secrets: SECRETS, hmac: { header: 'X' } } }),
    'spec.target.sink.sign.hmac',
  ],
  [
    'type beside types',
    job({ type: 'a.b', types: [{ eventType: 'x', jobType: 'a' }] }),
    'spec.target.job.type',
  ],
  ['an empty types', job({ types: [] }), 'spec.target.job.types'],
  [
    'an event type twice',
    job({
      types: [
        { eventType: 'x', jobType: 'a' },
        { eventType: 'x', jobType: 'b' },
      ],
    }),
    'spec.target.job.types[1]',
  ],
  ['a job type in capitals', job({ type: 'Order.Pack' }), 'spec.target.job.type'],
  [
    'a job type with a dash',
    job({ types: [{ eventType: 'x', jobType: 'a-b' }] }),
    'spec.target.job.types[0].jobType',
  ],
  [
    'arguments made in two ways',
    job({ args: { passThrough: {}, jsonPath: ['$.data'] } }),
    'spec.target.job.args',
  ],
  ['arguments made in no way', job({ args: {} }), 'spec.target.job.args'],
  ['a path that is none', job({ args: { jsonPath: ['data.id'] } }), 'spec.target.job.args.jsonPath[0]'],
  ['something to pass through', job({ args: { passThrough: { a: 1 } } }), 'spec.target.job.args.passThrough'],
  ['a queue in capitals', job({ options: { queue: 'Billing' } }), 'spec.target.job.options.queue'],
  ['an unknown option', job({ options: { que: 'a' } }), 'spec.target.job.options.que'],
  ['a job without address', { target: { job: { type: 'a' } } }, 'spec.target.job'],
  ['an empty from', { ...sink({}), from: [] }, 'spec.from'],
  ['a from of two', { ...sink({}), from: [{ cluster: {}, webhookSecret: { name: 'a' } }] }, 'spec.from[0]'],
  ['a from of none', { ...sink({}), from: [{}] }, 'spec.from[0]'],
  ['two addresses', { ...sink({}), from: [{ cluster: {} }, { cluster: {} }] }, 'spec.from'],
  [
    'a WebhookSecret without name',
    { ...sink({}), from: [{ webhookSecret: {} }] },
    'spec.from[0].webhookSecret.name',
  ],
  [
    'a name in capitals',
    { ...sink({}), from: [{ webhookSecret: { name: 'A' } }] },
    'spec.from[0].webhookSecret.name',
  ],
  [
    'subjects without audience',
    { ...sink({}), from: [{ cluster: { subjects: ['a'] } }] },
    'spec.from[0].cluster.subjects',
  ],
  [
    'a window that is no duration',
    { ...sink({}), from: [{ cluster: { dedup: { window: '1 day' } } }] },
    'spec.from[0].cluster.dedup.window',
  ],
  ['a filter of two dialects', filters({ exact: { type: 'a' }, prefix: { type: 'a' } }), 'spec.filters[0]'],
  ['a filter of none', filters({}), 'spec.filters[0]'],
  ['a filter of an unknown dialect', filters({ regex: { type: 'a' } }), 'spec.filters[0].regex'],
  ['a filter without attributes', filters({ exact: {} }), 'spec.filters[0].exact'],
  ['a filter over a number', filters({ exact: { type: 1 } }), 'spec.filters[0].exact.type'],
  ['a filter for nothing', filters({ exact: { type: '' } }), 'spec.filters[0].exact.type'],
  ['an empty any', filters({ any: [] }), 'spec.filters[0].any'],
  [
    'an inner filter of two dialects',
    filters({ any: [{ not: { exact: { type: 'a' }, suffix: { type: 'b' } } }] }),
    'spec.filters[0].any[0].not',
  ],
  ['filters four deep', filters(nested(4)), 'spec.filters[0].all[0].all[0].all'],
  ['too many filters', filters(...Array.from({ length: 17 }, () => CREATED)), 'spec.filters'],
  ['an endless condition', { ...sink({}), condition: LONG }, 'spec.condition'],
  ['correlate without StartOrWake', { ...step({}), correlate: 'data.id' }, 'spec.correlate'],
  ['StartOrWake without correlate', { ...step({}), onStart: 'StartOrWake' }, 'spec.onStart'],
  [
    'StartOrWake without steps',
    { ...sink({}), onStart: 'StartOrWake', correlate: 'data.id' },
    'spec.onStart',
  ],
  ['an unknown onStart', { ...step({}), onStart: 'Never' }, 'spec.onStart'],
  ['keyRetention without keys', { ...step({}), keyRetention: '24h' }, 'spec.keyRetention'],
  ['an inbox without steps', { ...sink({}), inbox: {} }, 'spec.inbox'],
  ['an inbox of no size', { ...step({}), inbox: { bytes: 'much' } }, 'spec.inbox.bytes'],
  ['no steps in steps', { steps: [] }, 'spec.steps'],
  ['a step without target', { steps: [{ name: 'a' }] }, 'spec.steps[0].target'],
  ['a step without name', { steps: [{ target: { sink: SINK } }] }, 'spec.steps[0].name'],
  ['a step named start', step({ name: 'start' }), 'spec.steps[0].name'],
  [
    'two steps of one name',
    {
      steps: [
        { name: 'a', target: { sink: SINK } },
        { name: 'a', target: { sink: SINK } },
      ],
    },
    'spec.steps[1]',
  ],
  ['a wait for nothing', waiting({}), 'spec.steps[0].waitFor'],
  ['a wait for two things', waiting({ sleep: '1h', filters: [CREATED] }), 'spec.steps[0].waitFor'],
  ['a nap of no length', waiting({ sleep: 'long' }), 'spec.steps[0].waitFor.sleep'],
  ['a nap with a timeout', waiting({ sleep: '1h', timeout: '1h' }), 'spec.steps[0].waitFor.timeout'],
  ['a wait that correlates alone', waiting({ filters: [CREATED], correlate: 'data.id' }), 'spec.steps'],
  [
    'a named wait that correlates alone',
    waiting({ any: [{ name: 'x', filters: [CREATED], correlate: 'data.id' }] }),
    'spec.steps',
  ],
  [
    'correlate beside all',
    waiting(
      { all: [{ name: 'x', filters: [CREATED] }], correlate: 'data.id' },
      { correlate: 'data.id', onStart: 'StartOrWake' },
    ),
    'spec.steps[0].waitFor.correlate',
  ],
  [
    'two waits of one name',
    waiting({
      all: [
        { name: 'x', filters: [CREATED] },
        { name: 'x', filters: [CREATED] },
      ],
    }),
    'spec.steps[0].waitFor.all[1]',
  ],
  ['a wait without name', waiting({ all: [{ filters: [CREATED] }] }), 'spec.steps[0].waitFor.all[0].name'],
  [
    'a wait named steps',
    waiting({ any: [{ name: 'steps', filters: [CREATED] }] }),
    'spec.steps[0].waitFor.any[0].name',
  ],
  [
    'a wait of two dialects',
    waiting({ all: [{ name: 'x', filters: [{ exact: { type: 'a' }, cesql: 'TRUE' }] }] }),
    'spec.steps[0].waitFor.all[0].filters[0]',
  ],
  [
    'a wait for a job of no bridge',
    waiting({ job: { step: 'first' } }),
    'spec.steps[0].waitFor.job.eventBridge',
  ],
  [
    'an unknown onTimeout',
    waiting({ filters: [CREATED], onTimeout: 'Retry' }),
    'spec.steps[0].waitFor.onTimeout',
  ],
  ['an unknown input', step({ input: 'Both' }), 'spec.steps[0].input'],
  ['a step that retries less than never', step({ delivery: { retry: -1 } }), 'spec.steps[0].delivery.retry'],
  [
    'a step of both kinds',
    { steps: [{ name: 'a', target: { job: { uri: 'http://a.example' }, sink: SINK } }] },
    'spec.steps[0].target',
  ],
  [
    'a map of two sources',
    { ...sink({}), map: { type: { value: 'a', jsonPath: '$.type' } } },
    'spec.map.type',
  ],
  ['a map to nothing', { ...sink({}), map: { subject: {} } }, 'spec.map.subject'],
  ['a map of an unknown attribute', { ...sink({}), map: { id: { value: 'a' } } }, 'spec.map.id'],
  [
    'an extension of two sources',
    { ...sink({}), map: { extensions: { region: { value: 'a', jsonPath: '$.type' } } } },
    'spec.map.extensions.region',
  ],
  ['data without template', { ...sink({}), map: { data: {} } }, 'spec.map.data.template'],
];

const BROKEN_SECRETS: readonly Broken[] = [
  ['no scheme', { secrets: SECRETS }, 'spec.scheme'],
  ['an unknown scheme', { scheme: 'Github', secrets: SECRETS }, 'spec.scheme'],
  ['HMAC without recipe', { scheme: 'HMAC', secrets: SECRETS }, 'spec.hmac'],
  ['a recipe beside a preset', github({ hmac: { header: 'X-Sig' } }), 'spec.hmac'],
  ['JWT without issuer', { scheme: 'JWT' }, 'spec.jwt'],
  ['an issuer beside a preset', github({ jwt: JWT }), 'spec.jwt'],
  ['JWT with secrets', { scheme: 'JWT', jwt: JWT, secrets: SECRETS }, 'spec.secrets'],
  ['keys from two places', { scheme: 'JWT', jwt: { ...JWT, jwks: KEY } }, 'spec.jwt'],
  ['keys from nowhere', { scheme: 'JWT', jwt: { issuer: 'a', audiences: ['b'] } }, 'spec.jwt'],
  [
    'a token without signature',
    { scheme: 'JWT', jwt: { ...JWT, algorithms: ['none'] } },
    'spec.jwt.algorithms[0]',
  ],
  [
    'a token signed by a shared key',
    { scheme: 'JWT', jwt: { ...JWT, algorithms: ['HS256'] } },
    'spec.jwt.algorithms[0]',
  ],
  ['an audience twice', { scheme: 'JWT', jwt: { ...JWT, audiences: ['a', 'a'] } }, 'spec.jwt.audiences[1]'],
  ['no secrets', { scheme: 'GitHub' }, 'spec.secrets'],
  ['an empty list of secrets', { scheme: 'GitHub', secrets: [] }, 'spec.secrets'],
  [
    'nine secrets',
    { scheme: 'GitHub', secrets: Array.from({ length: 9 }, (_, i) => ({ name: `k${i}`, ...KEY })) },
    'spec.secrets',
  ],
  ['two secrets of one name', { scheme: 'GitHub', secrets: [...SECRETS, ...SECRETS] }, 'spec.secrets[1]'],
  [
    'a secret without key',
    { scheme: 'GitHub', secrets: [{ name: 'a', secretKeyRef: { name: 'a' } }] },
    'spec.secrets[0].secretKeyRef.key',
  ],
  [
    'a secret in clear',
    { scheme: 'GitHub', secrets: [{ name: 'a', value: 's3cr3t' }] },
    'spec.secrets[0].value',
  ],
  [
    'an end that is no time',
    { scheme: 'GitHub', secrets: [{ ...SECRETS[0], notAfter: 'tomorrow' }] },
    'spec.secrets[0].notAfter',
  ],
  [
    'an end on the 30th of February',
    { scheme: 'GitHub', secrets: [{ ...SECRETS[0], notAfter: '2027-02-30T00:00:00Z' }] },
    'spec.secrets[0].notAfter',
  ],
  [
    'an end without time zone',
    { scheme: 'GitHub', secrets: [{ ...SECRETS[0], notAfter: '2027-02-20T00:00:00' }] },
    'spec.secrets[0].notAfter',
  ],
  ['a source with a dot', github({ source: 'shop.stripe' }), 'spec.source'],
  ['a source with a slash', github({ source: 'a/b' }), 'spec.source'],
  ['an empty source', github({ source: '' }), 'spec.source'],
  ['a public address without scheme', github({ publicUrl: 'hooks.example.com' }), 'spec.publicUrl'],
  ['a recipe without header', { scheme: 'HMAC', secrets: SECRETS, hmac: {} }, 'spec.hmac.header'],
  ['a header with a space', recipe({ header: 'X Sig' }), 'spec.hmac.header'],
  ['an unknown hash', recipe({ algorithm: 'MD5' }), 'spec.hmac.algorithm'],
  ['an unknown encoding', recipe({ encoding: 'base64' }), 'spec.hmac.encoding'],
  ['an unknown unit', recipe({ timestamp: { header: 'X-T', unit: 's' } }), 'spec.hmac.timestamp.unit'],
  ['a tolerance that is no duration', recipe({ tolerance: 'five minutes' }), 'spec.hmac.tolerance'],
  ['fields without any', recipe({ fields: {} }), 'spec.hmac.fields'],
  ['a key too short', github({ generate: { bytes: 8 } }), 'spec.generate.bytes'],
  ['a type from two places', github({ event: { type: { header: 'X', value: 'a' } } }), 'spec.event.type'],
  ['a type from nowhere', github({ event: { type: { prefix: 'com.' } } }), 'spec.event.type'],
  ['an id from two places', github({ event: { id: { unique: true, contentHash: true } } }), 'spec.event.id'],
  ['an id that is not unique', github({ event: { id: { unique: false } } }), 'spec.event.id.unique'],
  [
    'an id with a prefix for nothing',
    github({ event: { id: { unique: true, prefix: 'a' } } }),
    'spec.event.id.prefix',
  ],
  [
    'a payload path that is none',
    github({ event: { subject: { jsonPath: 'id' } } }),
    'spec.event.subject.jsonPath',
  ],
  [
    'an extension without origin',
    github({ event: { extensions: [{ name: 'region' }] } }),
    'spec.event.extensions[0]',
  ],
  [
    'an extension in capitals',
    github({ event: { extensions: [{ name: 'Region', value: 'eu' }] } }),
    'spec.event.extensions[0].name',
  ],
  [
    'an extension named type',
    github({ event: { extensions: [{ name: 'type', value: 'eu' }] } }),
    'spec.event.extensions[0].name',
  ],
  [
    'an extension twice',
    github({
      event: {
        extensions: [
          { name: 'a', value: 'b' },
          { name: 'a', value: 'c' },
        ],
      },
    }),
    'spec.event.extensions[1]',
  ],
  ['an unknown binary', github({ event: { binary: 'accept' } }), 'spec.event.binary'],
  ['no window', github({ dedup: { window: 'P' } }), 'spec.dedup.window'],
  ['a body of no size', github({ limits: { bodyBytes: '1 MB' } }), 'spec.limits.bodyBytes'],
  ['a body below nothing', github({ limits: { bodyBytes: -1 } }), 'spec.limits.bodyBytes'],
  ['half a byte', github({ limits: { bodyBytes: 0.5 } }), 'spec.limits.bodyBytes'],
  ['a rate without number', github({ limits: { rate: { per: '1s' } } }), 'spec.limits.rate.requests'],
];

const BROKEN_BRIDGES: readonly Broken[] = [
  ['no source', {}, 'spec.source'],
  ['an empty source', { source: {} }, 'spec.source'],
  ['an unknown source', { source: { kafka: {} } }, 'spec.source.kafka'],
  ['a backend without address', { source: { ojs: {} } }, 'spec.source.ojs'],
  ['a backend of two addresses', ojs({ clusterRef: { name: 'a' } }), 'spec.source.ojs.clusterRef'],
  ['a relative address', { source: { ojs: { uri: '/ojs' } } }, 'spec.source.ojs.uri'],
  ['an unknown transport', ojs({ transport: 'sse' }), 'spec.source.ojs.transport'],
  ['Webhook without endpoint', ojs({ transport: 'Webhook' }), 'spec.source.ojs.webhookSecret'],
  ['a queue twice', ojs({ queues: ['a', 'a'] }), 'spec.source.ojs.queues[1]'],
  ['a queue with a space', ojs({ queues: ['a b'] }), 'spec.source.ojs.queues[0]'],
  ['a poll that is no duration', ojs({ pollInterval: '2' }), 'spec.source.ojs.pollInterval'],
  ['an empty filter', { ...ojs({}), filters: [''] }, 'spec.filters[0]'],
  ['a sink without address', { ...ojs({}), sink: {} }, 'spec.sink'],
  ['a format in the sink', { ...ojs({}), sink: { ...SINK, format: 'binary' } }, 'spec.sink.format'],
  ['an unknown format', { ...ojs({}), format: 'Structured' }, 'spec.format'],
  ['a batch of none', { ...ojs({}), format: 'batch', batch: { events: 0 } }, 'spec.batch.events'],
  ['delivery to nobody', { ...ojs({}), delivery: { retry: 1 } }, 'spec.delivery'],
  [
    'an extension that is a number',
    { ...ojs({}), ceOverrides: { extensions: { shard: 1 } } },
    'spec.ceOverrides.extensions.shard',
  ],
];

const SOUND_TRIGGERS: readonly Sound[] = [
  ['the shortest', sink({})],
  ['a null where nothing is meant', { ...sink({}), filters: null, delivery: { retry: null } }],
  ['a null where a default is', { ...sink({}), suspend: null, from: null }],
  ['filters three deep', filters(nested(3), { not: { any: [{ cesql: 'TRUE' }] } })],
  [
    'a dropped extension',
    { ...sink({}), map: { extensions: { instanceid: null, region: { value: 'eu' } } } },
  ],
  ['a template that is a string', { ...sink({}), map: { data: { template: '$.data' } } }],
  ['a template that is null', { ...sink({}), map: { data: { template: null } } }],
  ['a template that is a list', job({ args: { template: [1, null, { a: ['$.data.id', true] }] } })],
  [
    'a ref with a path',
    { target: { sink: { ref: { apiVersion: 'v1', kind: 'Service', name: 'a' }, uri: '/done' } } },
  ],
  [
    'options in the backend’s words',
    job({ options: { retry: { max_attempts: 3, jitter: true }, unique: { on_conflict: 'ignore' } } }),
  ],
  [
    'durations of both kinds',
    { ...sink({}), delivery: { timeout: '1h30m', backoffDelay: 'P1DT2H3M4.5S', retryAfterMax: '500ms' } },
  ],
  [
    'correlated waits',
    waiting(
      { all: [{ name: 'x', filters: [CREATED], correlate: 'data.id' }] },
      { correlate: 'data.id', onStart: 'StartOrWake' },
    ),
  ],
];

const SOUND_SECRETS: readonly Sound[] = [
  ['the shortest', github({})],
  ['keys in a Secret', { scheme: 'JWT', jwt: { issuer: 'a', audiences: ['b'], jwks: KEY } }],
  ['a body in bytes', github({ limits: { bodyBytes: 4096 } })],
  ['a body in kibibytes', github({ limits: { bodyBytes: '512Ki' } })],
  [
    'an end with an offset',
    { scheme: 'GitHub', secrets: [{ ...SECRETS[0], notAfter: '2028-02-29T23:59:59.123+02:00' }] },
  ],
  ['an event id from the content', github({ event: { id: { contentHash: true } } })],
  ['a generated key', github({ generate: {} })],
];

const SOUND_BRIDGES: readonly Sound[] = [
  ['the shortest', ojs({})],
  ['a cluster', { source: { ojs: { clusterRef: { name: 'redis' } } } }],
  ['empty lists', { ...ojs({ queues: [], jobTypes: [] }), filters: [] }],
  ['a batch that waits for format', { ...ojs({}), format: 'structured', batch: {} }],
];

const broken = (kind: Kind, list: readonly Broken[]): BrokenVariant[] =>
  list.map(([name, spec, field]) => ({ name: `${kind}: ${name}`, kind, spec, field }));
const sound = (kind: Kind, list: readonly Sound[]): SoundVariant[] =>
  list.map(([name, spec]) => ({ name: `${kind}: ${name}`, kind, spec }));

/** What both the API server and offline validation have to refuse. */
export const BROKEN: readonly BrokenVariant[] = [
  ...broken('EventTrigger', BROKEN_TRIGGERS),
  ...broken('WebhookSecret', BROKEN_SECRETS),
  ...broken('EventBridge', BROKEN_BRIDGES),
];

/** What both have to take, and to make the same of. */
export const SOUND: readonly SoundVariant[] = [
  ...sound('EventTrigger', SOUND_TRIGGERS),
  ...sound('WebhookSecret', SOUND_SECRETS),
  ...sound('EventBridge', SOUND_BRIDGES),
];

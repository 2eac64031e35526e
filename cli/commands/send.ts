import { randomUUID } from 'node:crypto';
import { byteText } from '../../receiver/verify/content.ts';
import { compileSigner } from '../../receiver/verify/sign.ts';
import type { Command, Terminal } from '../command.ts';
import { CommandError, EXIT, UsageError } from '../exit-codes.ts';
import { headerOf } from '../header-option.ts';
import type { Parsed } from '../options.ts';
import { OUTPUT_OPTION, outputFormat } from '../output.ts';
import { answerExit, printAnswer, printAnswerJson } from '../send/answer.ts';
import { endpointFromEntries, endpointUrl, type SendTarget } from '../send/endpoint.ts';
import { buildMessage, type Message } from '../send/message.ts';
import { post } from '../send/post.ts';
import { providerHeaders } from '../send/provider-headers.ts';
import { bytesOf, fileBytes } from '../send/text-source.ts';

const DEFAULT_URL = 'http://127.0.0.1:8080';

/** `signalbox send` */
export const send: Command = {
  usage: [
    'send -f PATH… [--to NAMESPACE/NAME] [--data DATA] [options]',
    'send --url URL --scheme SCHEME --secret KEY [--data DATA] [options]',
  ],
  about: [
    'Signs an event as its provider would and sends it to an endpoint. With -f, endpoint, scheme and key are found in',
    "the manifests. With --type it sends a CloudEvent; without, the data as it is, as the provider's own payload.",
    'Every scheme can be signed but JWT, whose token only the issuer makes: give it with -H. HMAC needs -f, because its',
    'recipe is in the manifest.',
  ].join('\n'),
  options: [
    {
      name: 'file',
      short: 'f',
      value: 'PATH',
      multiple: true,
      help: 'Manifests that hold the WebhookSecret and its Secret; may be given again.',
    },
    { name: 'to', value: 'NAME', help: 'The WebhookSecret, namespace/name, where the files hold several.' },
    { name: 'key', value: 'NAME', help: 'Which of its secrets signs. Default: the first in force.' },
    { name: 'url', value: 'URL', help: `The receiver, or the endpoint's whole URL. Default: ${DEFAULT_URL}` },
    { name: 'scheme', value: 'SCHEME', help: 'How to sign, without -f.' },
    { name: 'secret', value: 'KEY', help: 'What to sign with, without -f.' },
    {
      name: 'secret-file',
      value: 'PATH',
      help: 'The same from a file; a line end at its end does not count.',
    },
    {
      name: 'data',
      short: 'd',
      value: 'DATA',
      help: 'The data or payload: text, @FILE, or @- for standard input.',
    },
    { name: 'content-type', value: 'TYPE', help: 'Of the data. Default: application/json' },
    { name: 'type', value: 'TYPE', help: 'Send a CloudEvent of this type.' },
    { name: 'source', value: 'URI', help: 'Its source. Default: /signalbox/send' },
    { name: 'id', value: 'ID', help: "Its id, or the provider's delivery id. Default: a new one each time." },
    { name: 'subject', value: 'TEXT', help: 'Its subject.' },
    {
      name: 'attribute',
      value: 'NAME=VALUE',
      multiple: true,
      help: 'Any other attribute, time or an extension; may be given again.',
    },
    {
      name: 'mode',
      value: 'MODE',
      help: 'structured (default: the signature covers the attributes too) or binary.',
    },
    {
      name: 'event',
      value: 'NAME',
      help: "The provider's name of the event, where a header tells it: push (GitHub), orders/create (Shopify).",
    },
    {
      name: 'header',
      short: 'H',
      value: 'NAME:VALUE',
      multiple: true,
      help: 'Another header; may be given again.',
    },
    OUTPUT_OPTION,
  ],
  examples: [
    `signalbox send -f examples/quickstart.yaml --type order.paid --data '{"order":"A-1001"}'`,
    'signalbox send -f examples/github-to-build.yaml --event push --data @push.json',
    'signalbox send --url http://127.0.0.1:8080/e/shop.stripe --scheme Stripe --secret-file key --data @- < event.json',
  ],
  exits: {
    [EXIT.ok]: 'accepted (2xx)',
    [EXIT.failed]: 'refused',
    [EXIT.usage]: 'called wrongly',
    [EXIT.unreachable]: 'not reached, or asked to come back later (429, 503)',
  },
  async run(parsed, terminal) {
    const print = outputFormat(parsed) === 'json' ? printAnswerJson : printAnswer;
    const id = parsed.text('id') ?? randomUUID();
    const message = buildMessage({
      body: await dataOf(parsed),
      contentType: parsed.text('content-type') ?? 'application/json',
      attributes: attributesOf(parsed, id),
      mode: modeOf(parsed),
    });
    const target = await targetOf(parsed, terminal);
    const headers = {
      ...message.headers,
      ...(parsed.text('type') === undefined
        ? providerHeaders(target.scheme, { event: parsed.text('event'), id })
        : {}),
      ...Object.fromEntries(parsed.list('header').map(headerOf)),
    };
    const proof = signed(target, { ...message, headers }, id);
    const answer = await post(proof.url, { ...headers, ...proof.headers }, message.body);
    terminal.out(print(answer));
    return answerExit(answer);
  },
};

interface Proof {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

function signed(target: SendTarget, message: Message, id: string): Proof {
  const { url, scheme, key, hmac, publicUrl = url } = target;
  if (key === undefined) return shown(target, message);
  const signer = compileSigner({ scheme, keys: [key], ...(hmac === undefined ? {} : { hmac }) });
  if (!signer.ok) {
    const findings = signer.findings.map((finding) => finding.message).join('; ');
    throw new UsageError(`This cannot be signed: ${findings}.`);
  }
  const headers = Object.fromEntries(
    Object.entries(message.headers).map(([name, value]) => [name, byteText(value)]),
  );
  const query = signer.value.query({ headers, body: message.body });
  const about = { id, timestamp: Date.now(), body: message.body, headers };
  const proof = proofOf(() => signer.value.sign({ ...about, url: withQuery(publicUrl, query) }));
  return { url: withQuery(url, query), headers: proof };
}

function proofOf(sign: () => Readonly<Record<string, string>> | undefined): Readonly<Record<string, string>> {
  try {
    const proof = sign();
    if (proof !== undefined) return proof;
  } catch (error) {
    // The signer names what it signs and the call did not bring.
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandError(`This cannot be signed: ${why}.`, EXIT.usage, error);
  }
  throw new UsageError('This cannot be signed: the key is past its notAfter; choose another with --key.');
}

/** Scheme JWT: the token was given. */
function shown({ url }: SendTarget, { headers }: Message): Proof {
  if (headers['authorization'] !== undefined) return { url, headers: {} };
  throw new UsageError(
    "Only the issuer makes a JWT; give one with -H 'Authorization: Bearer TOKEN', and it is sent as it is.",
  );
}

function withQuery(url: string, query: string | undefined): string {
  return query === undefined ? url : `${url}${url.includes('?') ? '&' : '?'}${query}`;
}

async function targetOf(parsed: Parsed, terminal: Terminal): Promise<SendTarget> {
  const paths = [...parsed.list('file'), ...parsed.positionals];
  const url = parsed.text('url');
  if (paths.length > 0) {
    const { plannedEntries } = await import('../send/from-manifests.ts');
    const choice = { to: parsed.text('to'), key: parsed.text('key'), url: url ?? DEFAULT_URL };
    return endpointFromEntries(await plannedEntries(paths, choice.url, terminal), choice, Date.now());
  }
  const scheme = parsed.text('scheme');
  if (url === undefined || scheme === undefined) {
    throw new UsageError(
      'Say where to send and how to sign: manifests with -f, or --url, --scheme and --secret.',
    );
  }
  if (URL.parse(url)?.pathname === '/')
    throw new UsageError(
      `--url ${url} names no endpoint; add its path, for example ${new URL('/e/shop.stripe', url).href}.`,
    );
  const secret = await secretOf(parsed);
  return { url: endpointUrl(url, ''), scheme, key: { name: 'given', secret: secret.toString('base64') } };
}

async function secretOf(parsed: Parsed): Promise<Buffer> {
  const text = parsed.text('secret');
  const path = parsed.text('secret-file');
  if (text !== undefined && path === undefined) return Buffer.from(text);
  if (text === undefined && path !== undefined) {
    const bytes = await fileBytes(path);
    return bytes.at(-1) === 0x0a ? bytes.subarray(0, bytes.at(-2) === 0x0d ? -2 : -1) : bytes;
  }
  throw new UsageError('Give the key to sign with, either with --secret or with --secret-file.');
}

async function dataOf(parsed: Parsed): Promise<Buffer | undefined> {
  const data = parsed.text('data');
  return data === undefined ? undefined : bytesOf(data, process.stdin);
}

function attributesOf(parsed: Parsed, id: string): Readonly<Record<string, string>> {
  const type = parsed.text('type');
  const others = parsed.list('attribute').map((pair) => {
    const at = pair.indexOf('=');
    if (at < 1) throw new UsageError(`--attribute ${pair} is not understood; write name=value.`);
    return [pair.slice(0, at), pair.slice(at + 1)] as const;
  });
  const subject = parsed.text('subject');
  const source = parsed.text('source');
  if (type === undefined) {
    if (others.length > 0 || subject !== undefined || source !== undefined) {
      throw new UsageError('--source, --subject and --attribute belong to a CloudEvent; add its --type.');
    }
    return {};
  }
  return {
    id,
    source: source ?? '/signalbox/send',
    type,
    ...(subject === undefined ? {} : { subject }),
    ...Object.fromEntries(others),
  };
}

function modeOf(parsed: Parsed): 'structured' | 'binary' {
  const mode = parsed.text('mode') ?? 'structured';
  if (mode === 'structured' || mode === 'binary') return mode;
  throw new UsageError(`--mode ${mode} is not known; write structured or binary.`);
}

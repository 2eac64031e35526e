const SUFFIX: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};
const FORM = /^(\d+(?:\.\d+)?)(k|M|G|T|Ki|Mi|Gi|Ti)?$/;

/** What a quantity may look like, for messages. */
export const QUANTITY_FORMS = 'a quantity like 1Mi, 512Ki or 1048576';

/** Bytes of a Kubernetes quantity (`1Mi`, `512Ki`, `1M`, `1048576`), rounded up; undefined where it is none. */
export function parseQuantity(text: string | number): number | undefined {
  const match = FORM.exec(String(text));
  if (match === null) return undefined;
  const bytes = Math.ceil(Number(match[1]) * (SUFFIX[match[2] ?? ''] ?? 1));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

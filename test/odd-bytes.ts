import fc from 'fast-check';

/** Makes what picks the usual one mostly, so that what is made of several has one oddity and not ten. */
export function mostlyOf(weight: number) {
  return (usual: string, ...odd: readonly string[]): fc.Arbitrary<string> =>
    fc.oneof({ weight, arbitrary: fc.constant(usual) }, fc.constantFrom(...odd));
}

/** Cuts bytes into pieces, none of them empty, at places that are taken modulo their length. */
export function cut(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const at = cuts.map((one) => one % (bytes.length + 1)).sort((a, b) => a - b);
  const pieces = [...at, bytes.length].map((end, i) => bytes.subarray(at[i - 1] ?? 0, end));
  return pieces.filter((piece) => piece.length > 0);
}

import type { Anchor } from './matcher.ts';

/** Where every branch has an anchor on one attribute in one dialect, any of their values is necessary. */
export function commonAnchors(branches: readonly (readonly Anchor[])[]): readonly Anchor[] {
  const [first, ...others] = branches;
  const anchors: Anchor[] = [];
  for (const { attribute, dialect, values } of first ?? []) {
    const more = others.map((branch) =>
      branch.find((anchor) => anchor.attribute === attribute && anchor.dialect === dialect),
    );
    if (more.some((anchor) => anchor === undefined)) continue;
    const together = new Set([...values, ...more.flatMap((anchor) => anchor?.values ?? [])]);
    anchors.push({ attribute, dialect, values: [...together] });
  }
  return anchors;
}

import * as fc from 'fast-check';

const firstSurrogate = 0xd800;
const surrogates = 0x800;

/**
 * A unit for `fc.string`: any character of Unicode except half a surrogate pair. The unit `binary` of fast-check gives the same, and takes a second to
 * build a table of them all.
 */
export const anyCharacter = fc
  .nat({ max: 0x10_ff_ff - surrogates })
  .map((number) => String.fromCodePoint(number < firstSurrogate ? number : number + surrogates));

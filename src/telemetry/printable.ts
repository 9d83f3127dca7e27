/** Characters that a terminal may interpret as a command, a line break or a change of direction. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Returns the text in one line, with `\uXXXX` for each character that a terminal may interpret. Text of Konnect or of users can contain such. */
export function printable(text: string): string {
  return text.replaceAll(unprintable, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

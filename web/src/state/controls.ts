/** Characters that nobody sees but that turn the words around them: foreign text is shown without them. */

/** The controls of writing direction, and every other control but the ends of lines and tabs. */
const CONTROLS = /(?![\n\t])[\p{Cc}\p{Bidi_Control}]/gu;

export function withoutControls(text: string): string {
  return text.replace(CONTROLS, "");
}

/** The same text with those characters in sight, as JSON writes them. */
export function controlsShown(text: string): string {
  return text.replace(CONTROLS, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

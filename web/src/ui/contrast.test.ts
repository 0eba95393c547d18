import { describe, expect, it } from "vitest";
import css from "./tokens.css?raw";

type Theme = "light" | "dark";

const SURFACES = ["bg", "surface", "raised"];
const INKS = ["text", "muted", "accent", "good", "warn", "bad", "info"];
const STATES = ["good", "warn", "bad", "info", "accent"];

/** Pairs that occur, and the contrast that WCAG 2.2 AA wants of them. */
const PAIRS: readonly (readonly [ink: string, ground: string, least: number])[] = [
  ...INKS.flatMap((ink) => SURFACES.map((ground) => [ink, ground, 4.5] as const)),
  ...STATES.map((tone) => [tone, `${tone}-soft`, 4.5] as const),
  ...STATES.map((tone) => ["text", `${tone}-soft`, 4.5] as const),
  ["muted", "accent-soft", 4.5],
  ["accent-text", "accent", 4.5],
  ...SURFACES.map((ground) => ["line-strong", ground, 3] as const),
];

describe.each<Theme>(["light", "dark"])("the %s theme", (theme) => {
  it.each(PAIRS)("%s on %s has a contrast of at least %f", (ink, ground, least) => {
    expect(contrast(colour(ink, theme), colour(ground, theme))).toBeGreaterThanOrEqual(least);
  });
});

function colour(name: string, theme: Theme): string {
  const found = new RegExp(`--${name}: light-dark\\((#[0-9a-f]{6}), (#[0-9a-f]{6})\\)`).exec(css);
  const value = found?.[theme === "light" ? 1 : 2];
  if (value === undefined) throw new Error(`no colour ${name}`);
  return value;
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

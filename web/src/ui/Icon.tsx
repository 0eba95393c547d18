import styles from "./Icon.module.css";

/** Stroke paths on a 16 × 16 grid. */
const PATHS = {
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  check: "M3 8.5 6.5 12 13 4.5",
  cross: "M4 4l8 8M12 4l-8 8",
  "arrow-right": "M3 8h10M9 4l4 4-4 4",
  "arrow-left": "M13 8H3M7 4 3 8l4 4",
  "chevron-right": "M6 3l5 5-5 5",
  "chevron-down": "M3 6l5 5 5-5",
  play: "M5 3l8 5-8 5z",
  pause: "M5 3v10M11 3v10",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.5 10.5 14 14",
  filter: "M2 3h12l-4.5 5.5V13l-3-1.5v-3z",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  download: "M8 2v8M4.5 7 8 10.5 11.5 7M3 13.5h10",
  upload: "M8 11V3M4.5 6 8 2.5 11.5 6M3 13.5h10",
  sun: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6M8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  moon: "M13 9.5A5.5 5.5 0 0 1 6.5 3 5.5 5.5 0 1 0 13 9.5z",
  contrast: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M8 2v12M10 3v10M12 4.5v7",
  screen: "M1.5 3h13v8.5h-13zM5.5 14h5M8 11.5V14",
  globe:
    "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M2 8h12M8 2c2 1.8 2.6 3.8 2.6 6S10 12.2 8 14M8 2C6 3.8 5.4 5.8 5.4 8S6 12.2 8 14",
  keyboard: "M1.5 4h13v8.5h-13zM4 6.5h.5M7 6.5h.5M10 6.5h.5M12 6.5h.2M5 10h6",
  clock: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M8 4.5V8l2.5 1.5",
  calendar: "M2.5 3.5h11v10h-11zM2.5 6.5h11M5.5 2v3M10.5 2v3",
  place: "M8 14.5S3 10 3 6.5a5 5 0 0 1 10 0c0 3.5-5 8-5 8M8 5a1.6 1.6 0 1 0 0 3.2A1.6 1.6 0 0 0 8 5",
  money: "M4 3l4 5 4-5M8 8v6M5 8.5h6M5 11h6",
  person: "M8 2.5a2.7 2.7 0 1 0 0 5.4 2.7 2.7 0 0 0 0-5.4M2.8 14c.4-3 2.5-4.3 5.2-4.3s4.8 1.3 5.2 4.3",
  people:
    "M6 3a2.3 2.3 0 1 0 0 4.6A2.3 2.3 0 0 0 6 3M1.5 13c.3-2.7 2-4 4.5-4s4.2 1.3 4.5 4M10.5 3.3a2.2 2.2 0 0 1 0 4.1M12 9.3c1.5.5 2.3 1.8 2.5 3.7",
  tag: "M2.5 2.5h5.5l5.5 5.5-5.5 5.5-5.5-5.5zM5.5 5.5h.1",
  alert: "M8 2 1.5 13.5h13zM8 6.5v3.5M8 12v.1",
  info: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M8 7.5V11M8 5v.1",
  question:
    "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M6.3 6.3C6.5 5.3 7.2 4.9 8 4.9c1 0 1.7.6 1.7 1.5C9.7 7.6 8 7.7 8 9M8 11.2v.1",
  ban: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M4 4l8 8",
  refresh: "M13 3v3.5H9.5M13 6.5A5.3 5.3 0 1 0 13.3 9",
  link: "M6.5 9.5l3-3M7 4.5l1.5-1.5a3 3 0 0 1 4.5 4.5L11.5 9M9 11.5 7.5 13A3 3 0 0 1 3 8.5L4.5 7",
  external: "M6 3H3v10h10v-3M9 3h4v4M13 3 7.5 8.5",
  edit: "M3 13l.7-3L10.5 3.2l2.3 2.3L6 12.3zM9 4.7l2.3 2.3",
  list: "M5.5 4H14M5.5 8H14M5.5 12H14M2 4h.5M2 8h.5M2 12h.5",
  plan: "M3 2h7l3 3v9H3zM5.5 7h5M5.5 9.5h5M5.5 12h3",
  branch:
    "M4.5 5v6M4.5 2a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3M4.5 11a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3M11.5 2a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3M11.5 5c0 3-7 2.5-7 6",
  scale: "M8 2v12M4.5 14h7M3 4.5h10M3 4.5 1.2 9h3.6zM13 4.5 11.2 9h3.6z",
  flag: "M3.5 14V2.5h9L10.5 6l2 3.5h-9",
  bolt: "M9 1.5 3.5 9H8l-1 5.5L12.5 7H8z",
  chat: "M2 3h12v8.5H7.5L4.5 14v-2.5H2z",
  send: "M14 2 7 9M14 2 9.5 14 7 9 2 6.5z",
  key: "M10.5 2a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7M8 8l-6 6M4 12l1.5 1.5M11 5.3v.1",
  layers: "M8 2 14 5 8 8 2 5zM2 8l6 3 6-3M2 11l6 3 6-3",
  step: "M3 3h4v4H3zM9 9h4v4H9zM7 5h4v4",
  offline: "M2 2l12 12M3 7a8 8 0 0 1 2.5-1.7M13 7a8 8 0 0 0-4.5-2.3M5.5 9.5a4 4 0 0 1 1.5-.9M8 12.5v.1",
  dot: "M8 6.5a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3z",
} as const;

export type IconName = keyof typeof PATHS;

/** A picture beside a text that says the same; hence silent for screen readers. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg className={styles.icon} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

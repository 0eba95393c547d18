import {
  defaultRangeExtractor,
  observeElementRect,
  type Range,
  useVirtualizer,
  type Virtualizer,
} from "@tanstack/react-virtual";
import {
  type ReactNode,
  type Ref,
  useCallback,
  useEffect,
  useImperativeHandle,
  useMemo,
  useRef,
} from "react";
import { classes, type Marked } from "./classes";
import styles from "./VirtualList.module.css";

export interface VirtualListHandle {
  readonly toEnd: () => void;
}

export interface VirtualListProps<Item> extends Marked {
  readonly items: readonly Item[];
  readonly rowKey: (item: Item) => string;
  /** The height of a row in pixels, before it has been measured. */
  readonly estimate: number;
  readonly render: (item: Item, index: number) => ReactNode;
  readonly label: string;
  /** Whether a row stays at the top while what follows it scrolls below: a heading. */
  readonly sticky?: (item: Item) => boolean;
  /** Told when the reader comes to the end, or leaves it. */
  readonly onAtEnd?: (atEnd: boolean) => void;
  readonly handle?: Ref<VirtualListHandle>;
}

const NEAR_END_PX = 24;
const UNSEEN_HEIGHT_PX = 600;

/** A long list of which only what can be seen is in the document; it follows its end while the reader is there. */
export function VirtualList<Item>({
  items,
  rowKey,
  estimate,
  render,
  label,
  sticky,
  onAtEnd,
  handle,
  ...rest
}: VirtualListProps<Item>) {
  const box = useRef<HTMLElement>(null);
  const atEnd = useRef(true);
  const { heading, range } = useSticky(items, sticky);
  const rows = useVirtualizer<HTMLElement, HTMLElement>({
    count: items.length,
    getScrollElement: () => box.current,
    estimateSize: () => estimate,
    getItemKey: (index) => key(items, index, rowKey),
    observeElementRect: observeSeen,
    rangeExtractor: range,
    overscan: 12,
    // What is read keeps its place when rows leave at the top; at the end the end is followed.
    anchorTo: atEnd.current ? "start" : "end",
  });
  const toEnd = () => rows.scrollToIndex(items.length - 1, { align: "end" });
  useImperativeHandle(handle, () => ({ toEnd }));
  // A list that has its fill keeps its length: its last row tells that something came.
  const last = key(items, items.length - 1, rowKey);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `last` is what is followed
  useEffect(() => {
    if (items.length > 0 && atEnd.current) rows.scrollToIndex(items.length - 1, { align: "end" });
  }, [last, items.length, rows]);
  const followed = () => {
    const shown = box.current;
    if (!shown) return;
    const before = atEnd.current;
    atEnd.current = shown.scrollHeight - shown.scrollTop - shown.clientHeight < NEAR_END_PX;
    if (atEnd.current !== before) onAtEnd?.(atEnd.current);
  };
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by key
    <section {...rest} ref={box} className={styles.box} aria-label={label} tabIndex={0} onScroll={followed}>
      <ul className={styles.rows} style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map((row) => {
          const item = items[row.index];
          return item === undefined ? null : (
            <li
              key={row.key}
              ref={rows.measureElement}
              data-index={row.index}
              aria-setsize={items.length}
              aria-posinset={row.index + 1}
              className={classes(row.index === heading() ? styles.stuck : styles.row)}
              style={row.index === heading() ? undefined : { transform: `translateY(${row.start}px)` }}
            >
              {render(item, row.index)}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** The heading above the first row in sight stays in the document, and at the top. */
function useSticky<Item>(items: readonly Item[], sticky?: (item: Item) => boolean) {
  const current = useRef(-1);
  const headings = useMemo(
    () => items.flatMap((item, index) => (sticky?.(item) ? [index] : [])),
    [items, sticky],
  );
  const range = useCallback(
    (seen: Range) => {
      current.current = headings.findLast((index) => index <= seen.startIndex) ?? -1;
      const indexes = new Set(defaultRangeExtractor(seen));
      if (current.current >= 0) indexes.add(current.current);
      return [...indexes].sort((a, b) => a - b);
    },
    [headings],
  );
  return { heading: () => current.current, range };
}

function key<Item>(items: readonly Item[], index: number, rowKey: (item: Item) => string): string | number {
  const item = items[index];
  return item === undefined ? index : rowKey(item);
}

/** A box without a height (hidden, or nothing is laid out) shows as much as an ordinary one. */
function observeSeen(
  list: Virtualizer<HTMLElement, HTMLElement>,
  tell: (rect: { width: number; height: number }) => void,
) {
  return observeElementRect(list, ({ width, height }) => tell({ width, height: height || UNSEEN_HEIGHT_PX }));
}

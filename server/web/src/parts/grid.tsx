// A table of any length: at most 60 of its rows are in the document, all of one height, so that a place is a division.
import type { CSSProperties, KeyboardEvent, ReactNode } from "react";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "../base/react";

export interface GridColumn<Row> {
  head: string;
  width: string; // of CSS grid
  wide?: boolean; // not on narrow screens
  right?: boolean;
  cell: (row: Row, at: number) => ReactNode;
}

interface Props<Row> {
  label: string;
  columns: GridColumn<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row, at: number) => string;
  total?: number; // where more are known of than are here
  selected?: number;
  onOpen?: (row: Row, at: number) => void;
  onEnd?: () => void; // the last rows come into sight
  onSight?: (from: number, to: number) => void;
  rowHeight?: number;
  rowClass?: (row: Row) => string;
  foot?: ReactNode;
}

const most = 60;

export function Grid<Row>(props: Props<Row>) {
  const { label, columns, rows, keyOf, total, selected = -1, onOpen, onEnd, onSight, rowHeight = 30, rowClass, foot } = props;
  const box = useRef<HTMLDivElement>(null);
  const [scroll, setScroll] = useState({ top: 0, height: 600 });
  const [focused, setFocused] = useState(Math.max(0, selected));
  const take = useRef(false); // the focus follows the row when it is in the document

  const measure = useCallback(() => {
    const at = box.current;
    if (at) setScroll((before) => (before.top === at.scrollTop && before.height === at.clientHeight ? before : { top: at.scrollTop, height: at.clientHeight }));
  }, []);
  useLayoutEffect(() => {
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, [measure]);

  const visibleRows = Math.ceil(scroll.height / rowHeight) + 1;
  const before = Math.max(0, Math.floor((most - visibleRows) / 2));
  const from = Math.max(0, Math.min(Math.floor(scroll.top / rowHeight) - before, rows.length - most));
  const to = Math.min(rows.length, from + most);
  const current = Math.min(focused, rows.length - 1);

  const reveal = useCallback((at: number) => {
    const element = box.current;
    if (!element) return;
    const head = rowHeight;
    if (at * rowHeight < element.scrollTop) element.scrollTop = at * rowHeight;
    else if ((at + 1) * rowHeight + head > element.scrollTop + element.clientHeight) element.scrollTop = (at + 1) * rowHeight + head - element.clientHeight;
  }, [rowHeight]);

  useLayoutEffect(() => {
    if (selected < 0) return;
    setFocused(selected);
    reveal(selected);
  }, [selected, reveal]);

  useLayoutEffect(() => {
    if (!take.current) return;
    const row = box.current?.querySelector<HTMLElement>(`[data-at="${current}"]`);
    if (row) {
      take.current = false;
      row.focus({ preventScroll: true });
    }
  });

  const inSight = useRef("");
  useEffect(() => {
    const first = Math.floor(scroll.top / rowHeight);
    const last = Math.min(rows.length, first + visibleRows);
    if (last >= rows.length - 5) onEnd?.();
    const key = `${first}-${last}-${rows.length}`;
    if (key === inSight.current) return;
    inSight.current = key;
    onSight?.(first, last);
  });

  const keys = (event: KeyboardEvent) => {
    const page = Math.max(1, visibleRows - 3);
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -rows.length, End: rows.length };
    const step = steps[event.key];
    if (step !== undefined) {
      event.preventDefault();
      const next = Math.max(0, Math.min(rows.length - 1, current + step));
      take.current = true;
      setFocused(next);
      reveal(next);
    } else if (event.key === "Enter" && onOpen && event.target === event.currentTarget.querySelector(`[data-at="${current}"]`)) {
      event.preventDefault();
      onOpen(rows[current]!, current);
    }
  };

  const template = (narrow: boolean) => columns.filter((column) => !narrow || !column.wide).map((column) => column.width).join(" ");
  const style = { "--cols": template(false), "--cols-narrow": template(true), "--row": `${rowHeight}px`, "--height": `${(rows.length + 1) * rowHeight + 2}px` } as CSSProperties;
  const cellClass = (column: GridColumn<Row>) => [column.right ? "right" : "", column.wide ? "wide" : ""].join(" ").trim() || undefined;
  const shown: ReactNode[] = [];
  for (let at = from; at < to; at++) {
    const row = rows[at]!;
    shown.push(
      <div role="row" key={keyOf(row, at)} className={`row ${at === selected ? "selected " : ""}${onOpen ? "opens " : ""}${rowClass?.(row) ?? ""}`}
        data-at={at} aria-rowindex={at + 2} aria-selected={onOpen ? at === selected : undefined} tabIndex={at === current ? 0 : -1} style={{ top: at * rowHeight }}
        onFocus={() => setFocused(at)} onClick={(event) => onOpen && !(event.target as Element).closest("a, button") && onOpen(row, at)}>
        {columns.map((column, place) => (
          <div role="gridcell" key={place} className={cellClass(column)}>{column.cell(row, at)}</div>
        ))}
      </div>,
    );
  }
  return (
    <div className="grid" role="grid" aria-label={label} aria-rowcount={(total ?? rows.length) + 1} ref={box} onScroll={measure} style={style} onKeyDown={keys}>
      <div role="row" className="row head" aria-rowindex={1}>
        {columns.map((column, place) => (
          <div role="columnheader" key={place} className={cellClass(column)}>{column.head}</div>
        ))}
      </div>
      <div role="rowgroup" className="rows" style={{ height: rows.length * rowHeight }}>{shown}</div>
      {foot && <div role="rowgroup" className="foot"><div role="row"><div role="gridcell">{foot}</div></div></div>}
    </div>
  );
}

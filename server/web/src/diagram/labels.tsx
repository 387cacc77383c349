// The names of the rows, beside the canvas; only of those that are seen. A name opens a menu, can be dragged among its
// siblings, and a heading's sign collapses its group.

import { useRef, useState } from "../base/react";
import { type Arrangement, moved, toggled } from "./arrangement";
import { type Layout, type Row, rowAt, rowsIn, siblingsOf } from "./lanes";
import { TOP } from "./draw/picture";
import { plural } from "../base/format";
import type { Node } from "./tree";

interface Props {
  layout: Layout;
  roots: Node[];
  arrangement: Arrangement;
  scroll: number;
  height: number;
  selected: number; // the row of the selected event; -1: none
  arrange(next: Partial<Arrangement>): void;
}

export function Labels(props: Props) {
  const { layout, scroll, height } = props;
  const [menu, setMenu] = useState<string | null>(null); // of which row, by key
  const [drag, setDrag] = useState<{ key: string; before: string; y: number } | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const [first, end] = rowsIn(layout, scroll, scroll + height - TOP);
  const rows = layout.rows.slice(first, end);
  const top = (k: number) => TOP + layout.top[first + k]! - scroll;
  const aim = (key: string, y: number) => dropAt(props, key, y - box.current!.getBoundingClientRect().top - TOP + scroll);
  return (
    <div className="dg-labels" ref={box}>
      <ul className="dg-rows" aria-label="Lanes">
        {rows.map((row, k) => {
          const r = first + k;
          return (
            <li key={`${row.kind} ${row.key} ${r}`} className={`dg-row dg-row-${row.kind} dg-depth-${row.depth} ${menu === `${row.key} ${r}` ? "dg-open" : ""} ${r === props.selected ? "dg-here" : ""}`}
              style={{ transform: `translateY(${top(k)}px)`, height: layout.top[r + 1]! - layout.top[r]!, paddingLeft: 6 + indent(row) * 12 }}>
              {row.kind === "stub" ? <StubLabel row={row} {...props} /> : (
                <RowLabel row={row} {...props} open={menu === `${row.key} ${r}`} up={top(k) > height / 2} setOpen={(open) => setMenu(open ? `${row.key} ${r}` : null)}
                  dragged={(y) => setDrag(y === null ? null : aim(row.key, y))}
                  dropped={() => { if (drag) props.arrange(moved(props.arrangement, drag.key, drag.before)); setDrag(null); }} />
              )}
            </li>
          );
        })}
      </ul>
      {drag && <div className="dg-drop" style={{ transform: `translateY(${TOP + drag.y - scroll}px)` }} />}
    </div>
  );
}

function indent(row: Row): number {
  return row.kind === "lane" && row.depth === 2 ? 1 : row.depth;
}

function StubLabel({ row, arrangement, arrange }: Props & { row: Row }) {
  const show = () => arrange({ hidden: new Set([...arrangement.hidden].filter((key) => !row.hidden.includes(key))) });
  return (
    <button type="button" className="dg-name" title="Show them again" onClick={show}>
      <span className="dg-detail">{plural(row.lanes.length, "lane")} hidden, {plural(row.events, "event")}</span>
    </button>
  );
}

interface Dragging {
  open: boolean;
  up: boolean; // the menu opens upwards
  setOpen(open: boolean): void;
  dragged(y: number | null): void;
  dropped(): void;
}

const STILL = 5; // pixels within which a press is a click

function RowLabel(props: Props & Dragging & { row: Row }) {
  const { row, arrangement, arrange, open, setOpen } = props;
  const from = useRef<number | null>(null);
  const dragging = useRef(false);
  const group = row.node!.children.length > 0 && row.kind !== "lane";
  const collapsed = row.kind === "group";
  const toggle = () => arrange({ collapsed: toggled(arrangement.collapsed, row.key) });
  return (
    <>
      {group && (
        <button type="button" className="dg-fold" aria-expanded={!collapsed} aria-label={`${collapsed ? "Expand" : "Collapse"} ${row.label}`} onClick={toggle}>{collapsed ? "▸" : "▾"}</button>
      )}
      <button type="button" className="dg-name" aria-haspopup="menu" aria-expanded={open} title={`${row.label} ${row.detail}\n${plural(row.events, "event")}`}
        onPointerDown={(event) => { from.current = event.clientY; event.currentTarget.setPointerCapture(event.pointerId); }}
        onPointerMove={(event) => {
          if (from.current === null || (!dragging.current && Math.abs(event.clientY - from.current) < STILL)) return;
          dragging.current = true;
          props.dragged(event.clientY);
        }}
        onPointerUp={() => { from.current = null; if (dragging.current) props.dropped(); }}
        onPointerCancel={() => { from.current = null; dragging.current = false; props.dragged(null); }}
        onClick={() => { if (!dragging.current) setOpen(!open); dragging.current = false; }}>
        {row.pinned && <span className="dg-pin" aria-label="pinned">●</span>}
        <bdi>{row.label}</bdi>
        {row.detail && <bdi className="dg-detail">{row.detail}</bdi>}
        {collapsed && <span className="dg-detail">{plural(row.lanes.length, "lane")}</span>}
      </button>
      {open && <RowMenu {...props} toggle={group ? toggle : null} collapsed={collapsed} />}
    </>
  );
}

function RowMenu({ row, up, roots, arrangement, arrange, setOpen, toggle, collapsed }: Props & Dragging & { row: Row; toggle: (() => void) | null; collapsed: boolean }) {
  const siblings = siblingsOf(roots, row.key);
  const at = siblings.findIndex((node) => node.key === row.key);
  const pinned = arrangement.pinned.includes(row.key);
  const others = siblings.filter((node) => node.key !== row.key).map((node) => node.key);
  const item = (text: string, run: () => void, disabled = false) => (
    <button type="button" role="menuitem" className="dg-item" disabled={disabled} onClick={() => { setOpen(false); run(); }}>{text}</button>
  );
  return (
    <div className={`dg-menu dg-row-menu ${up ? "dg-up" : ""}`} role="menu" aria-label={row.label} ref={(menu) => menu?.querySelector("button")?.focus()}
      onBlur={(event) => event.currentTarget.contains(event.relatedTarget) || setOpen(false)}
      onKeyDown={(event) => { if (event.key === "Escape") { setOpen(false); event.stopPropagation(); } }}>
      {item("Hide", () => arrange({ hidden: new Set([...arrangement.hidden, row.key]) }))}
      {item("Hide the others beside it", () => arrange({ hidden: new Set([...arrangement.hidden, ...others]) }), others.length === 0)}
      {item(pinned ? "Unpin" : "Pin to the top", () => arrange({ pinned: pinned ? arrangement.pinned.filter((key) => key !== row.key) : [...arrangement.pinned, row.key] }))}
      {toggle && item(collapsed ? "Expand" : "Collapse into one row", toggle)}
      {item("Move up", () => arrange(moved(arrangement, row.key, siblings[at - 1]!.key)), at <= 0)}
      {item("Move down", () => arrange(moved(arrangement, row.key, siblings[at + 2]?.key ?? "")), at < 0 || at >= siblings.length - 1)}
    </div>
  );
}

/** Before which sibling something is dropped at a height of the rows, and where that is. */
function dropAt({ layout, roots }: Props, key: string, y: number): { key: string; before: string; y: number } {
  const total = layout.top[layout.rows.length]!;
  const at = rowAt(layout, Math.max(0, Math.min(total - 1, y)));
  const depth = key.split("/").length;
  const siblings = siblingsOf(roots, key).map((node) => node.key);
  for (let r = Math.max(0, at); r < layout.rows.length; r++) {
    const own = layout.rows[r]!.key.split("/").slice(0, depth).join("/");
    const first = r === 0 || layout.rows[r - 1]!.key.split("/").slice(0, depth).join("/") !== own;
    if (siblings.includes(own) && first && layout.rows[r]!.kind !== "stub") return { key, before: own, y: layout.top[r]! };
  }
  return { key, before: "", y: total };
}

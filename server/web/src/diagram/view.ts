// The window onto the axis and the rows: what is seen, how wide, and how it moves. Positions are those of axis.ts; pixels
// count from the left of the canvas.

export interface View {
  from: number; // positions at the left and right edge
  to: number;
  width: number; // pixels
  height: number;
  scroll: number; // rows: pixels that are above the top
}

const BEFORE = 28; // pixels left of the first event when all is shown
const AFTER = 96; // right of the last, for its name
const LEAST = 1e-6; // of the whole is the narrowest window

export function xOf(view: View, at: number): number {
  return ((at - view.from) / (view.to - view.from)) * view.width;
}

export function atOf(view: View, x: number): number {
  return view.from + (x / view.width) * (view.to - view.from);
}

export function scale(view: View): number {
  return view.width / (view.to - view.from);
}

/** Of an axis: how far it goes, and how many pixels a position has at most when all is shown. */
export interface Size {
  extent: number;
  roomiest: number;
}

/** The window that shows everything, with margins; a few columns are not torn apart to fill it. */
export function whole({ extent, roomiest }: Size, width: number): { from: number; to: number } {
  const pixels = Math.min(roomiest, Math.max(1, width - BEFORE - AFTER) / extent);
  return { from: -BEFORE / pixels, to: (width - BEFORE) / pixels };
}

/** A window of that width or the nearest that is allowed, where something of the axis is in it. */
export function kept(from: number, to: number, axis: Size, width: number): { from: number; to: number } {
  const all = whole(axis, width);
  const most = all.to - all.from;
  const size = Math.min(most, Math.max(axis.extent * LEAST, to - from));
  if (!Number.isFinite(size) || !Number.isFinite(from)) return all;
  const middle = (from + to) / 2;
  const begin = Math.max(all.from, Math.min(all.to - size, middle - size / 2));
  return { from: begin, to: begin + size };
}

/** By `factor` narrower, with what is at pixel `x` staying there. */
export function zoomed(view: View, factor: number, x: number, axis: Size): { from: number; to: number } {
  const at = atOf(view, x);
  const all = whole(axis, view.width);
  const size = Math.max(axis.extent * LEAST, Math.min(all.to - all.from, (view.to - view.from) / factor));
  const from = at - (x / view.width) * size;
  return kept(from, from + size, axis, view.width);
}

export function panned(view: View, pixels: number, axis: Size): { from: number; to: number } {
  const by = pixels / scale(view);
  return kept(view.from + by, view.to + by, axis, view.width);
}

/** The nearest window in which these positions are all seen, of the same width where it can be. */
export function around(view: View, least: number, most: number, axis: Size): { from: number; to: number } {
  const size = view.to - view.from;
  const edge = size * 0.12;
  if (most - least > size - 2 * edge) {
    const room = (most - least) * 0.25;
    return kept(least - room, most + room, axis, view.width);
  }
  if (least >= view.from + edge && most <= view.to - edge) return { from: view.from, to: view.to };
  const middle = (least + most) / 2;
  return kept(middle - size / 2, middle + size / 2, axis, view.width);
}

// The window onto the axis and the rows: what is seen, how wide, and how it moves. Positions are those of axis.ts; pixels
// count from the left of the canvas.

export interface View {
  from: number; // positions at the left and right edge
  to: number;
  width: number; // pixels
  height: number;
  scroll: number; // rows: pixels that are above the top
}

export const MARGIN = 28; // pixels beside the first and last event when all is shown
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

/** The window that shows everything, with a margin on both sides. */
export function whole(extent: number, width: number): { from: number; to: number } {
  const inner = Math.max(1, width - 2 * MARGIN);
  const margin = (extent / inner) * MARGIN;
  return { from: -margin, to: extent + margin };
}

/** A window of that width or the nearest that is allowed, where something of the axis is in it. */
export function kept(from: number, to: number, extent: number, width: number): { from: number; to: number } {
  const all = whole(extent, width);
  const most = all.to - all.from;
  const size = Math.min(most, Math.max(extent * LEAST, to - from));
  if (!Number.isFinite(size) || !Number.isFinite(from)) return all;
  const middle = (from + to) / 2;
  const begin = Math.max(all.from, Math.min(all.to - size, middle - size / 2));
  return { from: begin, to: begin + size };
}

/** By `factor` narrower, with what is at pixel `x` staying there. */
export function zoomed(view: View, factor: number, x: number, extent: number): { from: number; to: number } {
  const at = atOf(view, x);
  const all = whole(extent, view.width);
  const size = Math.max(extent * LEAST, Math.min(all.to - all.from, (view.to - view.from) / factor));
  const from = at - (x / view.width) * size;
  return kept(from, from + size, extent, view.width);
}

export function panned(view: View, pixels: number, extent: number): { from: number; to: number } {
  const by = pixels / scale(view);
  return kept(view.from + by, view.to + by, extent, view.width);
}

/** The nearest window in which these positions are all seen, of the same width where it can be. */
export function around(view: View, least: number, most: number, extent: number): { from: number; to: number } {
  const size = view.to - view.from;
  const edge = size * 0.12;
  if (most - least > size - 2 * edge) {
    const room = (most - least) * 0.25;
    return kept(least - room, most + room, extent, view.width);
  }
  if (least >= view.from + edge && most <= view.to - edge) return { from: view.from, to: view.to };
  const middle = (least + most) / 2;
  return kept(middle - size / 2, middle + size / 2, extent, view.width);
}

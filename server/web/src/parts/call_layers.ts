// Layers of a graph of calls: a service stands right of all that call it, by the longest path; a call that would lead back
// is turned for that.

export interface Call {
  from: string;
  to: string;
  calls: number;
}

export interface Layered {
  layers: string[][];
  back: Set<Call>;
}

export function layered(calls: Call[]): Layered {
  const next = new Map<string, Call[]>();
  for (const call of calls) {
    next.set(call.from, [...(next.get(call.from) ?? []), call]);
    if (!next.has(call.to)) next.set(call.to, []);
  }
  const called = new Set(calls.filter((call) => call.from !== call.to).map((call) => call.to));
  const names = [...next.keys()].sort((a, b) => Number(called.has(a)) - Number(called.has(b)) || (a < b ? -1 : 1));
  const { order, back } = ordered(names, next);
  const layer = new Map(names.map((name) => [name, 0]));
  for (const name of order) {
    for (const call of next.get(name)!) if (!back.has(call)) layer.set(call.to, Math.max(layer.get(call.to)!, layer.get(name)! + 1));
  }
  const layers: string[][] = [];
  for (const name of names) (layers[layer.get(name)!] ??= []).push(name);
  return { layers: untangled(layers, calls), back };
}

/** Callers before the called, without recursion; and the calls that close a circle. */
function ordered(names: string[], next: Map<string, Call[]>) {
  const state = new Map<string, "open" | "done">();
  const back = new Set<Call>();
  const order: string[] = [];
  for (const start of names) {
    if (state.has(start)) continue;
    const stack = [{ name: start, at: 0 }];
    state.set(start, "open");
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const call = next.get(top.name)![top.at++];
      if (call === undefined) {
        state.set(top.name, "done");
        order.push(top.name);
        stack.pop();
      } else if (state.get(call.to) === "open") back.add(call);
      else if (!state.has(call.to)) {
        state.set(call.to, "open");
        stack.push({ name: call.to, at: 0 });
      }
    }
  }
  return { order: order.reverse(), back };
}

/** Each layer in the order of the middle of its callers. */
function untangled(layers: string[][], calls: Call[]): string[][] {
  const place = new Map<string, number>();
  for (const layer of layers) {
    const middle = (name: string) => {
      const callers = calls.filter((call) => call.to === name && place.has(call.from)).map((call) => place.get(call.from)!);
      return callers.length === 0 ? Number.MAX_SAFE_INTEGER : callers.reduce((sum, each) => sum + each, 0) / callers.length;
    };
    layer.sort((a, b) => middle(a) - middle(b) || (a < b ? -1 : 1));
    layer.forEach((name, at) => place.set(name, at - (layer.length - 1) / 2));
  }
  return layers;
}

// Layers of a graph of calls: a service stands right of all that call it, by the longest path; a call that would lead back
// is turned for that. A call over several layers has a place in each of them, so that it does not run through a service.

export interface Call {
  from: string;
  to: string;
  calls: number;
}

export interface Routed {
  call: Call;
  back: boolean;
  through: string[]; // the places that it passes, by their keys
}

export interface Layered {
  layers: { key: string; service: string | null }[][];
  routed: Routed[];
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
  const layers: Layered["layers"] = [];
  for (const name of names) (layers[layer.get(name)!] ??= []).push({ key: name, service: name });
  const routed = calls.filter((call) => call.from !== call.to).map((call): Routed => {
    const through: string[] = [];
    for (let at = layer.get(call.from)! + 1; at < layer.get(call.to)!; at++) {
      const key = JSON.stringify([call.from, call.to, at]);
      layers[at]!.push({ key, service: null });
      through.push(key);
    }
    return { call, back: back.has(call), through };
  });
  untangle(layers, routed);
  return { layers, routed };
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

/** Each layer in the order of the middle of what leads into it. */
function untangle(layers: Layered["layers"], routed: Routed[]) {
  const into = new Map<string, string[]>();
  for (const { call, back, through } of routed) {
    if (back) continue;
    const way = [call.from, ...through, call.to];
    way.slice(1).forEach((key, at) => into.set(key, [...(into.get(key) ?? []), way[at]!]));
  }
  const place = new Map<string, number>();
  for (const layer of layers) {
    const middle = (key: string) => {
      const before = (into.get(key) ?? []).filter((each) => place.has(each)).map((each) => place.get(each)!);
      return before.length === 0 ? 0 : before.reduce((sum, each) => sum + each, 0) / before.length;
    };
    layer.sort((a, b) => middle(a.key) - middle(b.key) || Number(a.service === null) - Number(b.service === null) || (a.key < b.key ? -1 : 1));
    layer.forEach(({ key }, at) => place.set(key, at - (layer.length - 1) / 2));
  }
}

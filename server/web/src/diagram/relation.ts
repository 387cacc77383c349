// How two events stand to each other, as the diagram says and shows it.

import { relationSentence } from "../base/relation";
import { type Model, finderOf, laneName, nameOf, placesOf } from "./graph";
import type { ChainStep, Relation } from "./types";

export function sentence(model: Model, find: ReturnType<typeof finderOf>, { relation, a, b, last_common_id: common }: Relation): string {
  const title = (id: string) => {
    const e = find(id);
    return e < 0 ? id : `${nameOf(model, e)} on ${laneName(model.lanes[model.lane[e]!]!)}`;
  };
  return relationSentence(relation, title(a), title(b)) + (common ? ` Both follow “${title(common)}”.` : "");
}

/** The events of a witness that are in the graph, in order. */
export function chainEvents(model: Model, chain: readonly ChainStep[] | undefined): number[] {
  return placesOf(model, (chain ?? []).map((step) => step.event_id));
}

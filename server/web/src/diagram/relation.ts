// How two events stand to each other, in one sentence with its witness.

import { type Model, finderOf, laneName, nameOf, placesOf } from "./graph";
import type { ChainStep, Relation } from "./types";
import { clean } from "./text";

const STEPS = 5; // of a chain that are named

/** "A: W balance on worker-1 happened before B: ..: parent of .. -> .." */
export function sentence(model: Model, find: ReturnType<typeof finderOf>, relation: Relation): string {
  const a = title(model, find(relation.a), "A");
  const b = title(model, find(relation.b), "B");
  switch (relation.relation) {
    case "equal":
      return "A and B are the same event.";
    case "before":
      return `${a} happened before ${b}: ${chainText(relation.chain ?? [])}.`;
    case "after":
      return `${a} happened after ${b}: ${chainText(relation.chain ?? [])}.`;
    case "concurrent":
      return `${a} and ${b} are concurrent: neither saw the other; ${lastCommon(model, find, relation)}.`;
    default:
      return `Nothing is known of the order of ${a} and ${b}: no clock and no link.`;
  }
}

function lastCommon(model: Model, find: ReturnType<typeof finderOf>, relation: Relation): string {
  if (relation.last_common_id === null || relation.last_common_id === undefined) return "no event is before both";
  const common = find(relation.last_common_id);
  const first = relation.chain_to_a?.[0];
  if (common >= 0) return `the last event before both is ${where(model, common)}`;
  return `the last event before both is ${first ? stepName(first) : clean(relation.last_common_id, 40)}`;
}

function title(model: Model, e: number, letter: string): string {
  return e < 0 ? letter : `${letter} (${where(model, e)})`;
}

function where(model: Model, e: number): string {
  return `${nameOf(model, e)} on ${laneName(model.lanes[model.lane[e]!]!)}`;
}

function chainText(chain: readonly ChainStep[]): string {
  if (chain.length < 2) return "in one step";
  const shown = chain.length <= STEPS + 1 ? chain : [...chain.slice(0, 3), null, ...chain.slice(-2)];
  return shown
    .map((step) => {
      if (step === null) return ` → … ${chain.length - STEPS} more …`;
      const why = step.reason ? ` →(${clean(step.reason, 20)}) ` : "";
      return why + stepName(step);
    })
    .join("");
}

function stepName(step: ChainStep): string {
  const name = clean(step.kind, 60);
  return step.thread ? `${name} on ${clean(step.thread, 40)}` : name;
}

/** The events of a witness that are in the graph, in order. */
export function chainEvents(model: Model, chain: readonly ChainStep[] | undefined): number[] {
  return placesOf(model, (chain ?? []).map((step) => step.event_id));
}

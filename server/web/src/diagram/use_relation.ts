// How the two events that are compared stand to each other: asked of the server, since it knows the reasons.

import { useEffect, useState } from "../base/react";
import { chainEvents, sentence } from "./relation";
import type { DiagramProps } from "./types";
import type { Shown } from "./use_scene";

/** The sentence, or null where nothing is compared. The chains of the witness are given to `setChains`. */
export function useRelation({ relation, announce }: DiagramProps, { model, findEvent, pair }: Shown, setChains: (chains: number[][]) => void): string | null {
  const [said, setSaid] = useState<string | null>(null);
  useEffect(() => {
    setChains([]);
    setSaid(null);
    if (!pair) return;
    let wanted = true;
    relation(model.id[pair[0]]!, model.id[pair[1]]!).then(
      (found) => {
        if (!wanted) return;
        const text = sentence(model, findEvent, found);
        setSaid(text);
        announce(text);
        const chains = [found.chain, found.chain_to_a, found.chain_to_b].map((chain) => chainEvents(model, chain));
        setChains(chains.filter((chain) => chain.length > 1));
      },
      (error: unknown) => wanted && setSaid(`How A and B stand to each other could not be asked: ${error instanceof Error ? error.message : String(error)}`),
    );
    return () => {
      wanted = false;
    };
  }, [pair, model, findEvent, relation, announce, setChains]);
  return said;
}

// The keys, and what this page is made of.
import { ask } from "../base/client";
import { useAnswer } from "../base/use_answer";
import { KEYS } from "../diagram/keys";
import { Dialog } from "./dialog";

const keys: [string, [string, string][]][] = [
  ["Everywhere", [["/", "search"], ["?", "this list"], ["Esc", "close, go back"], ["↑ ↓ Home End", "along a table"], ["Enter", "open the row"], ["← →", "along tabs"]]],
  ["In a trace", [["[ ]", "previous and next trace of the list"], ["R", "next race"]]],
  ["In the diagram", KEYS.map(({ shown, says }) => [shown, says])],
];

export function Help({ onClose }: { onClose: () => void }) {
  const status = useAnswer("status", (signal) => ask<{ version: string }>("/status", {}, signal));
  return (
    <Dialog title="Keys" onClose={onClose}>
      <div className="keys">
        {keys.map(([where, list]) => (
          <section key={where}>
            <h3>{where}</h3>
            <dl>
              {list.map(([key, what]) => (
                <div key={key}><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <details>
        <summary>About Raceway {status.data?.version ?? ""}</summary>
        <p>Keeps the events of concurrent programs with their vector clocks, and answers what happened before what.</p>
        <p>This page contains React, react-dom and scheduler, Copyright (c) Facebook, Inc. and its affiliates, under the <a href={new URL("licences.txt", import.meta.url).href}>MIT licence</a>.</p>
      </details>
    </Dialog>
  );
}

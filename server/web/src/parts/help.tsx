// The keys, and what this page is made of.
import { Status } from "../base/types";
import { ask } from "../base/client";
import { useAnswer } from "../base/use_answer";
import { Dialog } from "./dialog";

const keys: [string, [string, string][]][] = [
  ["Everywhere", [["/", "search"], ["?", "this list"], ["Esc", "close, go back"], ["↑ ↓ Home End", "along a table"], ["Enter", "open the row"], ["← →", "along tabs"]]],
  ["In a trace", [["[ ]", "previous and next trace of the list"], ["R", "next race"]]],
  ["In the diagram", [["W S", "zoom"], ["A D", "pan"], ["0", "fit all"], ["F", "fit the selection"], ["← → ↑ ↓", "along and across lanes"], ["P C", "first cause, first effect"], ["B V", "past, future"], ["X", "what is concurrent"], ["n N", "next, previous match"], ["M", "mark a second event"], ["T", "causal or time axis"]]],
];

const licence = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions: The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software. THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

export function Help({ onClose }: { onClose: () => void }) {
  const status = useAnswer("status", (signal) => ask<Status>("/status", {}, signal));
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
        <p>This page contains React, react-dom and scheduler, Copyright (c) Facebook, Inc. and its affiliates, under the MIT licence:</p>
        <p className="fine">{licence}</p>
      </details>
    </Dialog>
  );
}

// What the list is narrowed by. A text is taken when its writer rests, or at once by Enter.
import { useEffect, useState } from "../base/react";

import { ask } from "../base/client";
import { Query } from "../base/route";
import { useAnswer } from "../base/use_answer";
import { cut, visible } from "../base/format";
import { Filter } from "../data/traces";

function Typed({ label, value, change, numeric = false, className }: { label: string; value: string; change: (text: string) => void; numeric?: boolean; className?: string }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => change(text), 350);
    return () => clearTimeout(timer);
  });
  return (
    <label className={className}>
      <span>{label}</span>
      <input value={text} inputMode={numeric ? "numeric" : undefined} onChange={(event) => setText(numeric ? event.target.value.replace(/[^\d.]/g, "") : event.target.value)}
        onKeyDown={(event) => event.key === "Enter" && change(text)} autoComplete="off" spellCheck={false} />
    </label>
  );
}

export function Filters({ filter, change }: { filter: Filter; change: (changes: Query) => void }) {
  const services = useAnswer("services", (signal) => ask<{ services: { name: string }[] }>("/api/services", {}, signal));
  const names = services.data?.services.map((service) => service.name) ?? [];
  return (
    <div className="filters" role="group" aria-label="Filter">
      <Typed label="contains" value={filter.q} change={(q) => change({ q })} className="grow" />
      <label>
        <span>service</span>
        <select value={filter.service} onChange={(event) => change({ service: event.target.value })}>
          <option value="">any</option>
          {[...new Set([...names, ...(filter.service === "" ? [] : [filter.service])])].map((name) => (
            <option key={name} value={name}>{cut(visible(name), 40)}</option>
          ))}
        </select>
      </label>
      <Typed label="variable" value={filter.variable} change={(variable) => change({ variable })} className="short" />
      <Typed label="min events" value={filter.min_events} change={(min_events) => change({ min_events })} numeric className="short" />
      <Typed label="min ms" value={filter.min_duration} change={(min_duration) => change({ min_duration })} numeric className="short" />
      {(["races", "errors"] as const).map((key) => (
        <label key={key} className="check"><input type="checkbox" checked={filter[key]} onChange={(event) => change({ [key]: event.target.checked ? 1 : null })} /> {key}</label>
      ))}
    </div>
  );
}

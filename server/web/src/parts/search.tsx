// One field for whatever somebody has at hand: a trace, a variable, a place in the program, a service.
import type { FormEvent, KeyboardEvent } from "react";
import { useRef, useState } from "../base/react";

import { cut, visible } from "../base/format";
import { go, href } from "../base/route";
import { useKeys } from "../base/use_keys";
import { Link } from "./link";

interface Way {
  label: string;
  to: string;
}

const uuid = /^\{?[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\}?$/i;

function hyphenated(id: string): string {
  const digits = id.replace(/[^0-9a-f]/gi, "").toLowerCase();
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** The likeliest first. */
export function waysTo(text: string): Way[] {
  if (text === "") return [];
  const said = cut(visible(text), 40);
  const trace = { label: `Open trace ${said}`, to: href(["traces", uuid.test(text) ? hyphenated(text) : text]) };
  const list = { label: `Traces with “${said}”`, to: href(["traces"], { q: text }) };
  const races = { label: `Races with “${said}”`, to: href(["races"], { q: text }) };
  const variable = { label: `Variable ${said}`, to: href(["variables", text]) };
  const service = { label: `Service ${said}`, to: href(["services", text]) };
  if (uuid.test(text)) return [trace, list];
  if (/:\d+$/.test(text)) return [races, list];
  return [list, variable, service, races, trace];
}

export function Search() {
  const [text, setText] = useState("");
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLFormElement>(null);
  const field = useRef<HTMLInputElement>(null);

  useKeys((key, event) => {
    if (key !== "/") return;
    event.preventDefault();
    field.current?.select();
    field.current?.focus();
  });

  const ways = waysTo(text.trim());
  const leave = () => (setOpen(false), setText(""));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!ways[0]) return;
    go(ways[0].to);
    leave();
    field.current?.blur();
  };
  const keys = (event: KeyboardEvent) => {
    if (event.key === "Escape") return leave(), field.current?.blur();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const stops = [...box.current!.querySelectorAll<HTMLElement>("input, a")];
    stops[(stops.indexOf(document.activeElement as HTMLElement) + step + stops.length) % stops.length]!.focus();
  };
  return (
    <form className="search" role="search" ref={box} onSubmit={submit} onKeyDown={keys}
      onBlur={(event) => event.currentTarget.contains(event.relatedTarget) || setOpen(false)}>
      <input ref={field} type="search" aria-label="Search traces, variables, places, services" placeholder="Search: trace, variable, file:line, service" value={text}
        onChange={(event) => (setText(event.target.value), setOpen(true))} onFocus={() => setOpen(true)} autoComplete="off" spellCheck={false} />
      <kbd aria-hidden="true">/</kbd>
      {open && ways.length > 0 && (
        <ul className="ways">
          {ways.map((way) => (
            <li key={way.label}><Link to={way.to} onClick={leave}>{way.label}</Link></li>
          ))}
        </ul>
      )}
    </form>
  );
}

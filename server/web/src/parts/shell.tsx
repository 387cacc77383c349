// What is around every view: the rail on the left, the bar on top, and what lies over all.
import type { ReactNode } from "react";
import { useEffect, useState } from "../base/react";

import { announcement } from "../base/announce";
import { count } from "../base/format";
import { href, Route } from "../base/route";
import { useStore } from "../base/store";
import { Choice, choose, useChoice } from "../base/theme";
import { useKeys } from "../base/use_keys";
import { live, startLive } from "../data/live";
import { Help } from "./help";
import { Icon } from "./icons";
import { KeyDialog } from "./key_dialog";
import { Link } from "./link";
import { LiveState } from "./pause";
import { Search } from "./search";

const places = [["traces", "Traces"], ["races", "Races"], ["variables", "Variables"], ["services", "Services"], ["storage", "Storage"], ["send", "Send"]] as const;

function Rail({ view }: { view: string }) {
  const { traces, state } = useStore(live);
  return (
    <nav className="rail" aria-label="Views">
      <Link to="/traces" className="brand" aria-label="Raceway, traces">
        <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true"><path d="M3 10h26M3 22h26M10 10l12 12" fill="none" stroke="currentColor" strokeWidth="2" /><circle cx="10" cy="10" r="3.600" fill="currentColor" /><circle cx="22" cy="22" r="3.600" className="spark" /></svg>
        <span>Raceway</span>
      </Link>
      <ul>
        {places.map(([key, label]) => (
          <li key={key}>
            <Link to={href([key])} aria-current={view === key || (key === "traces" && (view === "" || view === "compare")) ? "page" : undefined}>
              <Icon name={key} />
              <span>{label}</span>
              {key === "traces" && state === "live" && <small>{count(traces)}</small>}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

const themes: [Choice, string, string][] = [["auto", "Light or dark as the system has it", "◐"], ["light", "Light", "○"], ["dark", "Dark", "●"]];

function ThemeButton() {
  const chosen = useChoice();
  const at = themes.findIndex(([key]) => key === chosen);
  const [, label, sign] = themes[at]!;
  const next = themes[(at + 1) % themes.length]!;
  return (
    <button className="round" data-theme={chosen} title={`${label}; click for: ${next[1].toLowerCase()}`} aria-label={`Theme: ${label}`} onClick={() => choose(next[0])}>{sign}</button>
  );
}

export function Shell({ route, children }: { route: Route; children: ReactNode }) {
  const [help, setHelp] = useState(false);
  const said = useStore(announcement);
  useEffect(startLive, []);
  useKeys((key) => key === "?" && setHelp(true));
  return (
    <div className="shell">
      <a className="skip" href="#main">Skip to the view</a>
      <Rail view={route.view} />
      <header className="bar">
        <Search />
        <LiveState />
        <ThemeButton />
        <button className="round" aria-label="Keys and about" title="Keys and about (?)" onClick={() => setHelp(true)}>?</button>
      </header>
      <main id="main" tabIndex={-1}>{children}</main>
      <div className="unseen" role="status" aria-live="polite">{said}</div>
      {help && <Help onClose={() => setHelp(false)} />}
      <KeyDialog />
    </div>
  );
}

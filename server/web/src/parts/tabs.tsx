import type { KeyboardEvent, ReactNode } from "react";

import { go } from "../base/route";
import { Link } from "./link";

export interface Tab {
  key: string;
  label: ReactNode;
  to: string;
}

/** Tabs that are links, each with an address; arrows go from one to the next. */
export function Tabs({ label, tabs, current }: { label: string; tabs: Tab[]; current: string }) {
  const keys = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = tabs.findIndex((tab) => tab.key === current);
    const next = tabs[(at + step + tabs.length) % tabs.length]!;
    go(next.to, "replace");
    event.currentTarget.querySelector<HTMLElement>(`[data-tab="${next.key}"]`)?.focus();
  };
  return (
    <div className="tabs" role="tablist" aria-label={label} onKeyDown={keys}>
      {tabs.map((tab) => (
        <Link key={tab.key} role="tab" data-tab={tab.key} aria-selected={tab.key === current} tabIndex={tab.key === current ? 0 : -1} to={tab.to} replace>
          {tab.label}
        </Link>
      ))}
    </div>
  );
}

import type { ReactNode } from "react";

import { count, shortPlace } from "../base/format";
import { RaceDetail } from "../base/types";

/** W-W, R-W: what the two accesses do. */
export function letters(severity: string, name?: string): string {
  if (name === "write-write" || (!name && severity === "CRITICAL")) return "W-W";
  if (name === "read-write" || (!name && severity === "WARNING")) return "R-W";
  return severity === "INFO" ? "R-R" : "R-W";
}

/** Two dots, and what there is to say of the race. */
export function Racing({ title, children }: { title?: string; children?: ReactNode }) {
  return <span className="race" title={title}><span className="racing-dots" aria-hidden="true" /> {children}</span>;
}

export function RaceMark({ races, first }: { races: number; first: RaceDetail | null }) {
  const places = first && ` ${shortPlace(first.event1_location)} ⟷ ${shortPlace(first.event2_location)}`;
  return <Racing title={first ? `${first.variable}${places}` : undefined}>{count(races)} {first && letters(first.severity, first.class)}{places && <bdi className="mono dim">{places}</bdi>}</Racing>;
}

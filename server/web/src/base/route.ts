// Everything that is looked at is in the address: which view, and its parameters. So a link shows somebody else the same.
import { useSyncExternalStore } from "./react";

export type Query = Record<string, string | number | null | undefined>;

export interface Route {
  view: string; // the first segment; "" is the start
  name: string | null; // the second one: a trace, a race, a variable, a service
  query: URLSearchParams;
  href: string; // without the prefix of a proxy
}

const base = document.querySelector<HTMLMetaElement>('meta[name="raceway-base"]')?.content ?? "";

/** A path of this server, behind the prefix of a proxy where there is one. */
export const inBase = (path: string) => base + path;

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

let current = read();
const listeners = new Set<() => void>();

function read(): Route {
  const path = location.pathname.startsWith(base) ? location.pathname.slice(base.length) : location.pathname;
  const [view = "", ...rest] = path.split("/").slice(1);
  const name = rest.length > 0 && rest[0] !== "" ? decoded(rest.join("/")) : null;
  return { view, name, query: new URLSearchParams(location.search), href: path + location.search };
}

function changed() {
  current = read();
  listeners.forEach((listener) => listener());
}
window.addEventListener("popstate", changed);

export function useRoute(): Route {
  return useSyncExternalStore(
    (listener) => (listeners.add(listener), () => listeners.delete(listener)),
    () => current,
  );
}

export const routeNow = () => current;

export function searchOf(query: Query): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== null && value !== undefined && value !== "") search.set(key, String(value));
  return search.toString();
}

/** "/traces/a%2Fb?q=x"; what is null or empty is left out. */
export function href(path: (string | null)[], query: Query = {}): string {
  const text = searchOf(query).replace(/%(2C|2F|3A|7E)/g, decodeURIComponent); // which need no hiding there
  return "/" + path.filter((each): each is string => each !== null).map(encodeURIComponent).join("/") + (text && "?" + text);
}

export function go(to: string, how: "push" | "replace" = "push") {
  if (to === current.href) return;
  history[how === "push" ? "pushState" : "replaceState"](null, "", inBase(to));
  changed();
}

/** The same view with other parameters. */
export function withQuery(route: Route, changes: Query): string {
  const query: Query = Object.fromEntries(route.query);
  return href([route.view || "traces", route.name], { ...query, ...changes });
}

// What an event is about, in a few words.
import { WireEvent } from "../base/types";

export const variant = (event: WireEvent) => Object.keys(event.kind)[0] ?? "";
export const fields = (event: WireEvent): Record<string, unknown> => event.kind[variant(event)] ?? {};

const text = (value: unknown) => (typeof value === "string" || typeof value === "number" ? String(value) : "");

export function nameOfEvent(event: WireEvent): string {
  const its = fields(event);
  const words: Record<string, string> = {
    FunctionCall: text(its.function_name),
    FunctionReturn: text(its.function_name),
    StateChange: text(its.variable),
    HttpRequest: `${text(its.method)} ${text(its.url)}`.trim(),
    HttpResponse: text(its.status),
    DatabaseQuery: text(its.query),
    LockAcquire: `acquire ${text(its.lock_id)}`,
    LockRelease: `release ${text(its.lock_id)}`,
    AsyncSpawn: `spawn ${text(its.task_id)}`,
    AsyncAwait: `await ${text(its.future_id)}`,
    Error: text(its.error_type),
    Custom: text(its.name),
  };
  return words[variant(event)] || text(its.name) || variant(event);
}

export function placeOfEvent(event: WireEvent): string {
  const its = fields(event);
  const file = text(its.file);
  return text(its.location) || (file && `${file}:${text(its.line)}`);
}

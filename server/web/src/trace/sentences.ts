// What is said of accesses.
import { value } from "../base/format";

export const verb = (access: string) => (/Write|RMW/.test(access) ? "writes" : "reads");

export function change(oldValue: unknown, newValue: unknown, access: string): string {
  if (!/Write|RMW/.test(access)) return value(newValue === undefined ? oldValue : newValue, 40);
  return oldValue === undefined || oldValue === null ? value(newValue, 40) : `${value(oldValue, 40)} → ${value(newValue, 40)}`;
}

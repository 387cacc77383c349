// Texts from traces made safe and short for a reader. Traces are hostile input: a name may have 10,000 characters, turn
// the writing direction around, or be no text at all.

import { cut, visible } from "../base/format";

export const clean = (text: unknown, most = 160) => (text === null || text === undefined ? "" : cut(visible(String(text)), most));

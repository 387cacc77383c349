// What a screen reader is told, politely, of what has changed.
import { store } from "./store";

export const announcement = store("");
export const announce = (text: string) => announcement.set(text);

// Asks for the API key where the server wants one.
import type { FormEvent } from "react";
import { useState } from "../base/react";

import { access, giveKey } from "../base/client";
import { useStore } from "../base/store";
import { Dialog } from "./dialog";

export function KeyDialog() {
  const { asked, wrong } = useStore(access);
  const [key, setKey] = useState("");
  if (!asked) return null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (key.trim() !== "") giveKey(key.trim());
    setKey("");
  };
  return (
    <Dialog title="This server asks for an API key">
      <form onSubmit={submit}>
        {wrong && <p className="bad" role="alert">The server does not know that key.</p>}
        <label>
          API key
          <input type="password" value={key} onChange={(event) => setKey(event.target.value)} autoFocus autoComplete="off" />
        </label>
        <p className="dim">One of <code>server.api_keys</code>. It is kept in this tab only, until it is closed.</p>
        <button type="submit" className="primary">Go on</button>
      </form>
    </Dialog>
  );
}

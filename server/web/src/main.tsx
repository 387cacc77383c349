import { createRoot } from "react-dom/client";

import "../app.css";
import "./diagram/diagram.css";
import { App } from "./app";

createRoot(document.getElementById("root")!).render(<App />);

// One view that breaks does not take the page with it.
import type { ReactNode } from "react";
import { Component } from "../base/react";

import { cut } from "../base/format";

interface Props {
  of: string; // another one begins anew
  children: ReactNode;
}

export class Boundary extends Component<Props, { broken: string | null; of: string }> {
  override state = { broken: null as string | null, of: this.props.of };

  static getDerivedStateFromError(error: unknown) {
    return { broken: String(error) };
  }
  static getDerivedStateFromProps(props: Props, state: { of: string }) {
    return props.of === state.of ? null : { broken: null, of: props.of };
  }

  override render() {
    if (this.state.broken === null) return this.props.children;
    return (
      <section className="trouble" role="alert">
        <h2>This view could not be shown</h2>
        <p>The rest of the page still works. What went wrong: <code>{cut(this.state.broken, 300)}</code></p>
        <button onClick={() => this.setState({ broken: null })}>Try again</button>
      </section>
    );
  }
}

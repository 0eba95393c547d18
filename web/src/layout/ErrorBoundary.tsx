import { Component, type ReactNode } from "react";
import { PageNotLoaded } from "../hooks/lazyPage";
import { go } from "../hooks/useHashRoute";
import { useTexts } from "../i18n";
import { Button, Card } from "../ui";

interface Props {
  readonly children: ReactNode;
  /** Fetch the whole page anew: a part that could not be fetched once is never asked for again. */
  readonly reload?: () => void;
}

interface State {
  readonly fault: Error | null;
}

/** The one place where a fault of the page ends; it says so, and offers to go on. */
export class ErrorBoundary extends Component<Props, State> {
  override state: State = { fault: null };

  static getDerivedStateFromError(fault: unknown): State {
    return { fault: fault instanceof Error ? fault : new Error(String(fault)) };
  }

  readonly goOn = () => this.setState({ fault: null });

  readonly retry = () => {
    const { reload = () => window.location.reload() } = this.props;
    if (this.state.fault instanceof PageNotLoaded) reload();
    else this.goOn();
  };

  override render() {
    const { fault } = this.state;
    return fault ? <Fault fault={fault} goOn={this.goOn} retry={this.retry} /> : this.props.children;
  }
}

interface FaultProps {
  readonly fault: Error;
  readonly goOn: () => void;
  readonly retry: () => void;
}

function Fault({ fault, goOn, retry }: FaultProps) {
  const { shell } = useTexts();
  const leave = () => {
    go({ page: "form" });
    goOn();
  };
  return (
    <Card tone="bad" role="alert" data-testid="page-fault">
      <h1 tabIndex={-1}>{shell.fault}</h1>
      <p>{shell.faultHint}</p>
      <p>
        {shell.faultDetail}: <code>{fault.message}</code>
      </p>
      <p>
        <Button variant="primary" onClick={retry}>
          {shell.retry}
        </Button>{" "}
        <Button onClick={leave}>{shell.toStart}</Button>
      </p>
    </Card>
  );
}

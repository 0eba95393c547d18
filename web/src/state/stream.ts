/** Follows the events of one demand into a store, through cuts, until its end. */

import type { NodeClient } from "../api/client";
import { asProblem, type Problem } from "../api/problem";
import type { LogEvent } from "../api/types";
import { createBatch } from "./batch";
import * as machine from "./connection";
import { isTerminal, parseEvent } from "./events";
import type { Session } from "./session";
import type { NegotiationStore } from "./store";

type Follows = Pick<NodeClient, "streamUrl" | "status" | "demand" | "allEvents">;

export interface Stream {
  /** Begin again with the first attempt. */
  readonly reconnect: () => void;
  readonly close: () => void;
}

export interface StreamParts {
  readonly demandId: string;
  readonly store: NegotiationStore;
  readonly client: Follows;
  readonly session: Session;
  /** Told when the node says that there is nothing to follow: no such demand, or no key for it. */
  readonly onProblem: (problem: Problem | null) => void;
}

export function follow(parts: StreamParts): Stream {
  const open = new OpenStream(parts);
  open.begin();
  return { reconnect: () => open.reconnect(), close: () => open.close() };
}

class OpenStream {
  private link: machine.Link = machine.CONNECTING;
  private source: EventSource | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private asking: AbortController | null = null;
  /** Whether the source that is open has brought anything. */
  private brought = false;
  /** Whether a fresh token was tried since anything came: one that is refused too waits for its turn. */
  private renewed = false;
  private readonly batch = createBatch((events) => this.deliver(events));

  constructor(private readonly parts: StreamParts) {}

  begin(): void {
    this.stop();
    if (this.parts.store.getState().negotiation.ending !== null) {
      this.move(machine.finished(this.link));
      return;
    }
    this.parts.onProblem(null);
    this.move(machine.CONNECTING);
    if (this.key() !== null && this.token() === undefined)
      void this.ask((signal) => this.openWithToken(signal));
    else this.connect();
  }

  reconnect(): void {
    this.renewed = false;
    this.begin();
  }

  close(): void {
    this.stop();
    this.batch.flush();
  }

  private connect(): void {
    this.batch.flush();
    this.brought = false;
    const last = this.parts.store.getState().negotiation.lastEventId;
    const source = new EventSource(this.parts.client.streamUrl(this.parts.demandId, last));
    source.onopen = () => this.move(machine.opened(this.link, Date.now()));
    source.onmessage = (frame: MessageEvent<string>) => this.frame(frame.data);
    source.onerror = () => this.failed();
    this.source = source;
  }

  private frame(text: string): void {
    const event = parseEvent(text);
    if (event === null) return;
    this.brought = true;
    this.renewed = false;
    this.batch.add(event);
    this.move(machine.arrived(this.link, Date.now()));
    if (isTerminal(event)) this.end();
  }

  /** The browser would try again at its own pace and for ever: its source is closed before ours begins. */
  private failed(): void {
    this.drop();
    this.batch.flush();
    this.move(machine.broken(this.link, Date.now()));
    if (this.link.retryAt !== null)
      this.timer = setTimeout(() => this.retry(), this.link.retryAt - Date.now());
    if (!this.brought) void this.ask((signal) => this.learnWhy(signal));
  }

  private retry(): void {
    this.timer = null;
    this.move(machine.retrying(this.link));
    this.connect();
  }

  /** One question to the node at a time. */
  private async ask(question: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (this.asking !== null) return;
    const abort = new AbortController();
    this.asking = abort;
    try {
      await question(abort.signal);
    } catch (thrown) {
      if (!abort.signal.aborted) this.refused(asProblem(thrown));
    } finally {
      if (this.asking === abort) this.asking = null;
    }
  }

  /** With a key but without a token the stream would refuse: the demand tells its token to whoever may know it. */
  private async openWithToken(signal: AbortSignal): Promise<void> {
    await this.learnToken(signal);
    if (!signal.aborted) this.connect();
  }

  /** An EventSource does not tell why it failed; the node does. */
  private async learnWhy(signal: AbortSignal): Promise<void> {
    const { status } = await this.parts.client.status(this.parts.demandId, signal);
    if (signal.aborted) return;
    if (status !== "processing") return this.catchUp(signal);
    if (this.key() === null && this.token() === undefined) return; // a node without keys asks for no token
    if (!(await this.learnToken(signal)) || this.renewed) return;
    this.renewed = true;
    this.begin();
  }

  /** Whether a token came that was not known before. */
  private async learnToken(signal: AbortSignal): Promise<boolean> {
    const { stream_token } = await this.parts.client.demand(this.parts.demandId, signal);
    if (signal.aborted || !stream_token || stream_token === this.token()) return false;
    this.parts.session.getState().setStreamToken(this.parts.demandId, stream_token);
    return true;
  }

  /** It ended while nobody listened: what is missing is fetched, and that was all. */
  private async catchUp(signal: AbortSignal): Promise<void> {
    const { client, demandId, store } = this.parts;
    const events = await client.allEvents(demandId, store.getState().negotiation.lastEventId, signal);
    if (signal.aborted) return;
    this.deliver(events);
    this.end();
  }

  /** A node that cannot be reached may be back for the next attempt; one that refuses will refuse again. */
  private refused(problem: Problem): void {
    if (![401, 403, 404].includes(problem.status)) {
      if (this.link.kind === "connecting") this.failed();
      return;
    }
    this.stop();
    this.move(machine.abandoned(this.link, Date.now()));
    this.parts.onProblem(problem);
  }

  private end(): void {
    this.stop();
    this.batch.flush();
    this.move(machine.finished(this.link));
  }

  private deliver(events: readonly LogEvent[]): void {
    this.parts.store.getState().receive(events);
    this.shareToken();
  }

  /** The token of a demand opens the streams of its sub-negotiations too. */
  private shareToken(): void {
    const token = this.token();
    const { streamTokens, setStreamToken } = this.parts.session.getState();
    if (token === undefined) return;
    for (const { demandId } of this.parts.store.getState().negotiation.subs) {
      if (streamTokens[demandId] === undefined) setStreamToken(demandId, token);
    }
  }

  private key(): string | null {
    return this.parts.session.getState().apiKey;
  }

  private token(): string | undefined {
    return this.parts.session.getState().streamTokens[this.parts.demandId];
  }

  private move(link: machine.Link): void {
    this.link = link;
    this.parts.store.getState().connected(link);
  }

  private drop(): void {
    this.source?.close();
    this.source = null;
  }

  private stop(): void {
    this.drop();
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.asking?.abort();
    this.asking = null;
  }
}

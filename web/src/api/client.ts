/** Every request that the page makes, by name. */

import { type Session, session } from "../state/session";
import { readable } from "./readable";
import { Transport } from "./transport";
import type {
  AgentBody,
  AgentView,
  CancelReply,
  ConfirmReply,
  DemandPage,
  DemandState,
  DemandView,
  EventSlice,
  FeedbackBody,
  Invitation,
  LogEvent,
  NewDemand,
  OfferBody,
  Seat,
  Step,
  SubmitReply,
  Taken,
  UnderstandingEdits,
} from "./types";

const API = "api/v1";
const SLICE = 200;

type Signal = AbortSignal | undefined;

export class NodeClient {
  private readonly transport: Transport;

  constructor(
    private readonly session: Session,
    base = "./",
  ) {
    this.transport = new Transport(session, base);
  }

  /** Keeps the token of the demand's stream, so that it can be followed. */
  async submit(body: NewDemand): Promise<SubmitReply> {
    const reply = (await this.transport.send(`${API}/demand/submit`, {
      method: "POST",
      body,
    })) as SubmitReply;
    this.session.getState().setStreamToken(reply.demand_id, reply.stream_token);
    return reply;
  }

  async demand(id: string, signal?: Signal): Promise<DemandView> {
    return readable((await this.transport.send(demandPath(id), { signal })) as DemandView);
  }

  async status(id: string, signal?: Signal): Promise<DemandState> {
    return (await this.transport.send(`${demandPath(id)}/status`, { signal })) as DemandState;
  }

  /** `background`: nobody waits for it, and nobody is asked for a key. */
  async demands(
    cursor?: string | null,
    status?: string | null,
    signal?: Signal,
    background = false,
  ): Promise<DemandPage> {
    const asked = { query: { cursor, status }, signal, background };
    return readable((await this.transport.send(`${API}/demand`, asked)) as DemandPage);
  }

  async cancel(id: string): Promise<CancelReply> {
    return (await this.transport.send(`${demandPath(id)}/cancel`, { method: "POST" })) as CancelReply;
  }

  async confirm(id: string, edits: UnderstandingEdits = {}): Promise<ConfirmReply> {
    const body = { understanding: edits };
    return (await this.transport.send(`${demandPath(id)}/confirm`, { method: "POST", body })) as ConfirmReply;
  }

  async erase(id: string): Promise<void> {
    await this.transport.send(demandPath(id), { method: "DELETE" });
  }

  /** At most 200 events after one. */
  async events(id: string, after?: string | null, signal?: Signal): Promise<EventSlice> {
    const query = { count: SLICE, after, token: this.tokenOf(id) };
    return (await this.transport.send(`${eventsPath(id)}/recent`, { query, signal })) as EventSlice;
  }

  /** Every event that the node has of a demand, or all after one. */
  async allEvents(id: string, after?: string | null, signal?: Signal): Promise<LogEvent[]> {
    const all: LogEvent[] = [];
    let last = after;
    for (;;) {
      const { events } = await this.events(id, last, signal);
      all.push(...events);
      last = events.at(-1)?.event_id;
      if (last === undefined || events.length < SLICE) return all;
    }
  }

  async seats(channelId: string, signal?: Signal): Promise<readonly Seat[]> {
    const reply = await this.transport.send(`${channelPath(channelId)}/agents`, { signal });
    return readable((reply as { agents: readonly Seat[] }).agents);
  }

  async steps(demandId: string, signal?: Signal): Promise<readonly Step[]> {
    const reply = await this.transport.send(`${demandPath(demandId)}/steps`, { signal });
    return readable((reply as { steps: readonly Step[] }).steps, ["result"]);
  }

  async invitation(channelId: string, token: string, signal?: Signal): Promise<Invitation> {
    const asked = { ...byPerson(token), signal };
    return readable((await this.transport.send(`${channelPath(channelId)}/invitation`, asked)) as Invitation);
  }

  async offer(channelId: string, token: string, body: OfferBody): Promise<Taken> {
    const asked = { ...byPerson(token), method: "POST", body } as const;
    return (await this.transport.send(`${channelPath(channelId)}/offer`, asked)) as Taken;
  }

  async feedback(channelId: string, token: string, body: FeedbackBody): Promise<Taken> {
    const asked = { ...byPerson(token), method: "POST", body } as const;
    return (await this.transport.send(`${channelPath(channelId)}/feedback`, asked)) as Taken;
  }

  async agents(text?: string | null, signal?: Signal): Promise<readonly AgentView[]> {
    const reply = await this.transport.send(`${API}/admin/agents`, { key: "admin", query: { text }, signal });
    return readable((reply as { agents: readonly AgentView[] }).agents);
  }

  async agent(id: string, signal?: Signal): Promise<AgentView> {
    return readable((await this.transport.send(agentPath(id), { key: "admin", signal })) as AgentView);
  }

  async createAgent(body: AgentBody): Promise<AgentView> {
    const asked = { key: "admin", method: "POST", body } as const;
    return (await this.transport.send(`${API}/admin/agents`, asked)) as AgentView;
  }

  /** `revision` is the one that was read: an edit of somebody else in between is refused, not overwritten. */
  async editAgent(body: AgentBody, revision: number): Promise<AgentView> {
    const asked = { key: "admin", method: "PUT", body, query: { revision } } as const;
    return (await this.transport.send(agentPath(body.agent_id), asked)) as AgentView;
  }

  async disableAgent(id: string): Promise<AgentView> {
    return (await this.transport.send(`${agentPath(id)}/disable`, {
      key: "admin",
      method: "POST",
    })) as AgentView;
  }

  async enableAgent(id: string): Promise<AgentView> {
    return (await this.transport.send(`${agentPath(id)}/enable`, {
      key: "admin",
      method: "POST",
    })) as AgentView;
  }

  /** The address of a demand's stream; an EventSource can send no header, so its token stands there. */
  streamUrl(demandId: string, lastEventId?: string | null): string {
    const query = { last_event_id: lastEventId, token: this.tokenOf(demandId) };
    return this.transport.url(`${eventsPath(demandId)}/stream`, query);
  }

  private tokenOf(demandId: string): string | undefined {
    return this.session.getState().streamTokens[demandId];
  }
}

function demandPath(id: string): string {
  return `${API}/demand/${encodeURIComponent(id)}`;
}

function channelPath(id: string): string {
  return `${API}/channels/${encodeURIComponent(id)}`;
}

function eventsPath(id: string): string {
  return `${API}/events/negotiations/${encodeURIComponent(id)}`;
}

function agentPath(id: string): string {
  return `${API}/admin/agents/${encodeURIComponent(id)}`;
}

function byPerson(token: string) {
  return { key: null, headers: { "X-Participant-Token": token } } as const;
}

/** The node that serves this page. */
export const client = new NodeClient(session);

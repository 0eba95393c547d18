const CHANNEL = /^collab-[0-9a-f]{8}$/;
const TOKEN = /^[A-Za-z0-9_-]{8,128}$/;

/** Whether a link has the form that the node gives it; with any other there is nothing to ask for. */
export function isLink(channelId: string, token: string): boolean {
  return CHANNEL.test(channelId) && TOKEN.test(token);
}

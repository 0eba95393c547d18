"""Real time: what happens is told to agents and people as it is committed, over server-sent events and WebSockets."""

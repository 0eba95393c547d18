"""Protocols negotiated over WebSocket: the byte frames of spec A, between two agents who proved their DIDs."""

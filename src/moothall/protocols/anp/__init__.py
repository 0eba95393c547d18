"""Capabilities over the Agent Network Protocol: descriptions, OpenRPC and JSON-RPC."""

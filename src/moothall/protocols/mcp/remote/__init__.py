"""MCP servers elsewhere, as this node's agents call them."""

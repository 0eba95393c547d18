"""The tools of a node in the hands of a language model: an MCP server, a toolkit, and functions of this process."""

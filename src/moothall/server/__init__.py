"""The node's HTTP server: routes of spec C, admin, health."""

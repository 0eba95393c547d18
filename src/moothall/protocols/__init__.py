"""The doors of a node; none imports another."""

"""Two agents agree on a protocol, generate code for it, test it, and talk over it (spec A)."""

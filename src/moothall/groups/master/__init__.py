"""The master agent: which services there are, who may use them, and the way to them."""

"""The deterministic brain: one module per decision, rules and exact optimisation instead of a language model."""

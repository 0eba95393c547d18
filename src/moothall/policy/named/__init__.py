"""The policies that have a name in the specification, as texts and tables that the one engine evaluates."""

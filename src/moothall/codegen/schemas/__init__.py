"""JSON Schemas (2020-12) of strangers: checked within bounds, sampled, compared, mapped, read from words."""

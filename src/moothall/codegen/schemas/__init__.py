"""JSON Schemas (2020-12) of strangers: checked within bounds, sampled, compared, mapped onto each other, read from words."""

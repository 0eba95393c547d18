"""Generated code: written, reviewed, tested, kept by its hash, run in a sandbox."""

"""Where generated code runs: without files, network or environment, and within limits."""

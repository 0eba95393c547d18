"""The module under the name that the specification means (spec A); the code is in `extraction`."""

from __future__ import annotations

from moothall.codegen.extraction import extract_code_from_llm_output

__all__ = ["extract_code_from_llm_output"]

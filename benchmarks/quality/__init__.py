"""How good the plans of a negotiation are: generated demands whose truth is known, an oracle, baselines, figures.

    python -m benchmarks.quality --scenarios 200 --seed 1 --json quality.json

What is measured, and what the figures can and cannot say, stands in ``docs/quality.md``.
"""

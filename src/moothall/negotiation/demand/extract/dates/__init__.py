"""Dates in a demand sentence: small grammars of single expressions, and one composition into a window."""

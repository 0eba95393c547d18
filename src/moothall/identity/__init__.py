"""Who calls: did:wba identifiers and documents, request signatures, tokens, and the guarded way out."""

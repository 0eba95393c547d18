"""Who can be asked: agent profiles, the concept vocabulary, the gazetteer and retrieval over them."""

"""What this node offers, for those who look around: the AI Catalog and the cards it points to."""

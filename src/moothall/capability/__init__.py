"""What can be called: the decorator, its options, schemas, and the registry."""

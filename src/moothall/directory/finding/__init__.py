"""Finding what other nodes offer: places that are read again and again, and what each of them lists."""

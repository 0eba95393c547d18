"""What a negotiation looks like in a terminal, in a log and to a program."""

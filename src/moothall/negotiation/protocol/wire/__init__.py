"""What two agents that negotiate a protocol say to each other: byte frames, messages, the hello (rows META-WIRE-*)."""

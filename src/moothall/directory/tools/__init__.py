"""The whole network as four tools: what a language model is given to look around, to call, and to plan."""

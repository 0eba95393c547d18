"""What a language model is asked in the nine prompts, and what becomes of its answers."""

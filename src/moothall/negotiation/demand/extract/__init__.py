"""The deterministic understanding of one demand sentence, Chinese or English, without any model."""

"""Impossible Distillation: paraphrase datasets and models from a small language model."""

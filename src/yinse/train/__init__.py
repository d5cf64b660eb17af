"""Training: shared loop, few-shot tuning, and the recipes of the base model."""

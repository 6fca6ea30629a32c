"""One router per subject: its response models, its queries, its routes."""

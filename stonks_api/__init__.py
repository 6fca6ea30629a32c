"""The HTTP side: one FastAPI application, one router per subject, and the dashboard that it serves."""

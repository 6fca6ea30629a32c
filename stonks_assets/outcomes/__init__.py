"""Did it work: what the price did after each recommendation, and what that says of sources, models and windows."""

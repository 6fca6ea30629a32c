"""AI agents over HTTP: how they and their variants are set up, who changed that and why, and how they fare."""

"""What an operator tells the engine and asks of it, as rows: the same for the API and for the command line."""

"""What happens by itself: the cycle and who asks for it, sweeps, settling, history, and the pipeline toggle."""

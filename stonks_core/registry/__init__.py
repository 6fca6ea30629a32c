"""The registry: which companies are tracked, how they are named, what they are exposed to and whom they compete with."""

"""What companies did after such news before: samples, patterns, and the one way to ask for them.

Propagation to competitors, the command line and the API ask here, so that all three tell of the same samples.
"""

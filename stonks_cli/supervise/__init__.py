"""Keeping a set of processes running: who starts after whom, when it is ready, what happens when it dies.

`policy` decides and knows no process, `supervisor` acts, `launch` is the small process around each child.
What the children are is the command line's business; nothing here knows a setting.
"""

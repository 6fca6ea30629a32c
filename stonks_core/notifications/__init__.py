"""Telling people: notices that parts of the system leave as rows, copied to each channel and delivered from there.

Whoever has something to say writes a row (`notices.leave`). The trading daemon and Dagster both deliver, so that each can
tell that the other died; rows are claimed, so that no message is sent twice by two of them.
"""

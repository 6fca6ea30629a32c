"""From trends to recommendations: the rules that decide, the thesis that explains, and the evidence it rests on.

The pure modules hold the rules and the words; `step` reads the lake, calls them and merges what they answer.
"""

"""The rules of `stonks-rules`: pure functions from text to judgement. Word lists live in `data`, HTTP elsewhere."""

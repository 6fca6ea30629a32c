"""The pages: rendered here from escaped values, styled and refreshed by files of our own. No figure is computed twice."""

"""The trading side: an always-on daemon that decides on recommendations, and the pure rules by which it decides."""

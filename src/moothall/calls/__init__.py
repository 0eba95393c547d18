"""The one path that every call takes, whichever door it came through."""

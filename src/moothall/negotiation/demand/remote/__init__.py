"""Participants of negotiations that live elsewhere: what they are asked, what they may answer, and where they are."""

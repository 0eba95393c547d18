"""Approvals: calls that wait until others have agreed to exactly them."""

"""What was decided and done, by whom and why, in a form that shows every change to it."""

"""Links of two groups: what members of one may say to the other, or call there, once both owners have agreed."""

"""Several calls as one piece of work: a plan that is shown before it is carried out."""

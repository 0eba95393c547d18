"""Services whose code was generated: registered, published, versioned, watched, rolled back."""

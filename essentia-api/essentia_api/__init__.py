"""Audio in, numbers out; stateless."""

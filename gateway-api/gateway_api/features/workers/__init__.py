"""What the workers say of themselves and of their tools."""

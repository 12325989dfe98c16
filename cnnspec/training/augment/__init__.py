"""How images become what a net takes."""

"""What draws the tokens of programs."""

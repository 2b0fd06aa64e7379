"""What follows: features, fusion, risk, explanation."""

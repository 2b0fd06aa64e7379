"""Do the talks help? Lots for students near the capacity line, power beforehand, one result on its day."""

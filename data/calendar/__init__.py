"""What a date and a term mean for a student: the one rule that labels, features and reports share."""

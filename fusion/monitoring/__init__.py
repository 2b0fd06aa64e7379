"""Whether a model in service is still about the students it scores."""

"""Models in service: register, scoring, serving, upkeep, cards."""

"""How good a risk is: figures of merit, baselines, fitness of a register, fairness, controls."""

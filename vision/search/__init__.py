"""Over a whole register: who signed this, and what was filed twice."""

"""Risk → reasons: SHAP values, facts, levers, and the ink behind a signature's share."""

"""References and a questioned signature → likelihood ratio and outcome; their calibration and thresholds."""

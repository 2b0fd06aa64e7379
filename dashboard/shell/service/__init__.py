"""The JSON service beside the pages: tokens, limits, answers, and its document. No Streamlit."""

"""Several app processes behind one port: who accepts, who is chosen, who is kept running. No Streamlit here.

A small parent (:mod:`dashboard.shell.processes.keeping`) holds the listening socket and hands each accepted
connection, as it is, to one of the app processes. What is said on it afterwards does not pass the parent.
"""

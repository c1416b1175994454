"""Identity resolution as a graph: which emails, devices, cookies and loyalty ids are one person, and why."""

__version__ = "0.1.0"

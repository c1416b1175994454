"""Segments that leave: to files and to webhooks."""

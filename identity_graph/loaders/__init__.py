"""Loaders: how the records of one source become events. The files are TOML, in the folder `loaders/`."""

from identity_graph.loaders.file import known_loaders
from identity_graph.loaders.loader import Loader, NoTime, content_id, parse_loader, read_loader

__all__ = ["Loader", "NoTime", "content_id", "known_loaders", "parse_loader", "read_loader"]

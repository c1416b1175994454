"""Loaders: how the records of one source become events. The files are TOML, in the folder `loaders/`."""

from identity_graph.loaders.file import about, known_loaders
from identity_graph.loaders.judgement import content_id
from identity_graph.loaders.loader import Loader, NoTime, parse_loader, read_loader
from identity_graph.loaders.trial import event_view, try_file

__all__ = [
    "Loader",
    "NoTime",
    "about",
    "content_id",
    "event_view",
    "known_loaders",
    "parse_loader",
    "read_loader",
    "try_file",
]

"""One installable foundation for production FastAPI backends."""

__version__ = "0.1.0"

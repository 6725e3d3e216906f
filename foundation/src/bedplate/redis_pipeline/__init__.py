"""One connection to Redis or Valkey that many tasks share."""

from bedplate.redis_pipeline.pipeline import Pipeline, connections_to

__all__ = ["Pipeline", "connections_to"]

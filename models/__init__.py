"""Published models as data, and the engine that turns them into polars expressions."""

"""The asset graph: from raw payloads to recommendations, lake facts and outcomes, as partitioned Dagster assets."""

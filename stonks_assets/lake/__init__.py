"""Lake facts: what the stores know, republished flat for analysts; a backfill over a range is the bulk job."""

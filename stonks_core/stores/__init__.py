"""The two stores in which processes meet: Delta tables (`lake`) and PostgreSQL (`postgres`, `migrations`, `embedded`)."""

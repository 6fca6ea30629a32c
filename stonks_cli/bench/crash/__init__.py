"""`stonks bench crash`: kills the daemon, PostgreSQL and the broker's connection, and audits what is left."""

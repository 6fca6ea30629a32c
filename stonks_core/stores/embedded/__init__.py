"""A real PostgreSQL server without installing one: binaries from a package, a cluster below the home folder.

Here belongs everything about running that server: finding the binaries (`binaries`), making the cluster
(`cluster`), the user it runs as (`identity`), the process that stands beside it (`guard`) and the whole of
it (`server`). What is kept in it is the business of `postgres` and the migrations.
"""

"""`stonks registry` put together out of its parts."""

from stonks_cli.registry import attachments, companies, files, sources, watchlists

registry_app = companies.app
registry_app.add_typer(attachments.alias_app, name="alias")
registry_app.add_typer(attachments.exposure_app, name="exposure")
registry_app.add_typer(attachments.competitors_app, name="competitors")
registry_app.add_typer(watchlists.app, name="watchlists")
registry_app.add_typer(sources.app, name="sources")
registry_app.command("import")(files.import_)
registry_app.command("export")(files.export)
registry_app.command("import-tickers")(files.import_edgar)

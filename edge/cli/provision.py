"""`evenstride provision`: certificates, access list and broker configuration of a site."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ON_BROKER = "on the broker: sudo tar -xf broker.tar -C / && sudo systemctl restart mosquitto"
provision_app = typer.Typer(no_args_is_help=True, help="Certificates and broker of a site.")
Folder = Annotated[Path, typer.Argument(help="The site's folder; it holds the authority's key.")]


@provision_app.command()
def site(
    folder: Folder,
    name: Annotated[str, typer.Option("--site", help="Name of the site, as in topics.")],
    host: Annotated[list[str], typer.Option("--host", help="How edges reach the broker.")],
    port: Annotated[int, typer.Option(help="Of the broker.")] = 8883,
) -> None:
    """Make a site: its authority, the broker's certificate, configuration and access list."""
    from edge.operation.provision import Site

    Site(folder, name, host, port).create()
    typer.echo(f"{folder}/broker.tar: {ON_BROKER}")


@provision_app.command()
def edge(
    folder: Folder, name: Annotated[str, typer.Argument(help="Name of the edge, as in topics.")]
) -> None:
    """Make an edge's certificate and pack what it needs into one bundle."""
    from edge.operation.provision import CLIENT_DAYS, open_site

    bundle = open_site(folder).add_edge(name)
    typer.echo(
        f"{bundle}: on the edge: sudo tar -xf {bundle.name} -C /; valid for {CLIENT_DAYS} days"
    )


@provision_app.command()
def account(
    folder: Folder, role: Annotated[str, typer.Argument(help="reader or operator")]
) -> None:
    """Make the certificate of a consumer."""
    from edge.operation.provision import open_site

    issued = open_site(folder).add_account(role)
    typer.echo(f"{issued.certificate} and {issued.key}")


@provision_app.command()
def revoke(
    folder: Folder, name: Annotated[str, typer.Argument(help="Edge or role to lock out.")]
) -> None:
    """Lock a certificate out; reload the broker afterwards."""
    from edge.operation.provision import open_site

    open_site(folder).revoke(name)
    typer.echo(f"{folder}/broker.tar is new: {ON_BROKER}")

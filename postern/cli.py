"""The command `postern`: what an organisation does on its own premises.

Every error that a user can meet is one sentence of what happened and one of what to do, with an
exit code; docs/client.md lists them.
"""

import traceback
from pathlib import Path
from typing import Any

import click

from postern import __version__
from postern.client_errors import ClientError
from postern.commands.attach import attach
from postern.commands.audit import audit
from postern.commands.check import check
from postern.commands.decide import decide
from postern.commands.exchange import exchange
from postern.commands.filter import filter_
from postern.commands.imports import imports
from postern.commands.init import init
from postern.commands.keys import keys
from postern.commands.lookup import lookup
from postern.commands.outcomes import outcomes
from postern.commands.patterns import patterns
from postern.commands.recalls import recalls
from postern.commands.receive import receive
from postern.commands.requests import request, requests
from postern.commands.screen import screen
from postern.commands.shared import shared
from postern.commands.subject import subject
from postern.commands.submit import submit
from postern.commands.terminal import ExitCode, chosen_settings, notice
from postern.commands.watch import watch, watches
from postern.commands.witness import witness
from postern.key_errors import KeyDocumentError
from postern.settings import VARIABLE


class _Commands(click.Group):
    """Turns what can go wrong into a message and an exit code, and never shows a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (ClientError, KeyDocumentError) as error:
            raise click.ClickException(str(error)) from error
        except KeyboardInterrupt:
            notice("Interrupted. Nothing is lost: run the same command again to go on.")
            ctx.exit(ExitCode.INTERRUPTED)
        except BrokenPipeError:
            raise  # whoever read the output has seen enough; click ends in silence
        except OSError as error:
            raise click.ClickException(
                f"A file could not be used{f' ({error.filename})' if error.filename else ''}: "
                f"{error.strerror or type(error).__name__}. Check "
                "permissions and free space, then run the same command again."
            ) from error
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            # Its text may hold a clear value; where it happened does not.
            place = traceback.extract_tb(error.__traceback__)[-1]
            raise click.ClickException(
                f"postern failed in a way that it should not: {type(error).__name__} at "
                f"{Path(place.filename).name}:{place.lineno}. Report this line to its makers; the "
                "journal is intact."
            ) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="postern")
@click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help=f"Settings file; else ${VARIABLE}, else ~/.config/postern/config.toml.",
)
@click.pass_context
def cli(context: click.Context, config: Path | None) -> None:
    """Share indicators of drug smuggling by post without showing them.

    Names, addresses and identifiers are turned into pseudonyms on this machine; the platform
    receives nothing else.
    """
    context.obj = chosen_settings(config)


for command in (
    *(init, check, keys, submit, imports, attach, lookup, shared),
    *(request, requests, decide, receive, recalls, outcomes, watch, watches, subject),
    *(audit, witness),
    exchange,
    *(screen, patterns, filter_),
):
    cli.add_command(command)


def main() -> None:
    """Run the command line."""
    cli(prog_name="postern")

"""The magics. Their docstrings are what `?` shows; what they do is imported when the first one runs."""

from __future__ import annotations

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class

from gofastapi_ext.notebook.runs import Runs


@magics_class
class GoFastAPIMagics(Magics):
    """`%%deploy`, `%apps`, `%logs`, `%rollback` and what else there is to an app's life."""

    shell: InteractiveShell

    def __init__(self, shell: InteractiveShell, runs: Runs) -> None:
        super().__init__(shell)
        self.runs = runs

    @line_cell_magic
    def deploy(self, line: str, cell: str | None = None) -> None:
        """Take the FastAPI app in this cell live, or the app in the notebook's marked cells.

        Usage: %%deploy NAME [--with OBJECT,...] [--env K=V ...] [--file PATH ...] [--run] [--message TEXT] [--open]
               [--db-branch NAME] [--draft [--force]]
               %deploy NAME [the same, but --run] [--dry-run]

        The cell is checked, stored as a version, started beside what is live, and takes over once it
        answers. When something is wrong, what was live stays live. Nothing of the cell is defined in
        the notebook itself. Local modules the cell imports come along, and so do the folders it gives
        to StaticFiles and Jinja2Templates.

        NAME             lower-case letters, digits and hyphens; the app's address stays with it
        --with OBJECT    objects of the notebook that the app is to have, under their names: --with model,df.
                         They belong to the version, and a rollback brings them back with the code
        --env K=V        an environment variable of the app. {name} inserts a variable of the
                         notebook: --env TOKEN={token}
        --file PATH      a file or folder to bring along, at its place beside the notebook
        --run            run the cell in the notebook too, first; deploy only if that worked
        --message TEXT   a note kept with the version
        --open           open the app in the browser
        --db-branch NAME  work on this branch of the database (%db_branch makes it) instead of the data themselves
        --draft          save the code as the app's draft, and deploy nothing
        --force          with --draft: overwrite a draft that was saved elsewhere
        --dry-run        show the files, and deploy nothing

        %deploy collects the cells of the saved notebook that have `#| deploy: NAME` on top, in the order
        of the notebook; `#| file: PATH` below it puts a cell into another file than main.py. Where no cell
        is marked, it deploys the draft.

        Examples:

            #| deploy: hello
            #| file: routers/users.py
            from fastapi import APIRouter

            %%deploy hello
            from fastapi import FastAPI

            app = FastAPI()

            @app.get("/")
            def hello():
                return {"hello": "world"}

        The app finds its own MongoDB database at os.environ["PLATFORM_MONGO_URI"].
        See also: %%deployfile, %apps, %logs, %versions, %diff, %rollback, %undeploy.
        """
        if cell is None:
            from gofastapi_ext.notebook.deploy_marked import deploy_marked

            deploy_marked(self.shell, line, self.runs)
            return
        from gofastapi_ext.notebook.commands import deploy

        deploy(self.shell, line, cell)

    @line_cell_magic
    def deployfile(self, line: str, cell: str | None = None) -> None:
        """Add one file to the draft of an app: the cell is its content. Nothing is deployed.

        Usage: %%deployfile NAME PATH [--force]
               %deployfile NAME PATH --remove

        The file comes along when a cell with %%deploy NAME is run, and what is wrong in it is shown at the
        line of its own cell. A new app is made where there is none of this name.

        PATH       where the file is in the app: routers/users.py
        --force    overwrite a file that was saved elsewhere
        --remove   take the file out of the draft instead

        Example:

            %%deployfile hello routers/users.py
            from fastapi import APIRouter

            router = APIRouter()
        """
        from gofastapi_ext.notebook.drafts import deploy_file

        deploy_file(self.shell, line, cell)

    @line_magic
    def versions(self, line: str) -> None:
        """List the versions of an app that are kept: when, by whom, and the message.

        Usage: %versions NAME

        Example: %versions hello
        """
        from gofastapi_ext.notebook.history import versions

        versions(self.shell, line)

    @line_magic
    def diff(self, line: str) -> None:
        """Show what changed between two versions of an app, or in its draft.

        Usage: %diff NAME [OLD [NEW]]

        OLD, NEW   a version's number, live, or, as NEW, draft. Without them: from what is live to
                   the draft; where there is none, from the version before to what is live

        Example: %diff hello 1 live
        """
        from gofastapi_ext.notebook.history import diff

        diff(self.shell, line)

    @line_magic
    def apps(self, line: str) -> None:
        """List your apps: name, state, version, address, and since when.

        Usage: %apps
        """
        from gofastapi_ext.notebook.commands import apps

        apps(self.shell, line)

    @line_magic
    def env_set(self, line: str) -> None:
        """Set variables and secrets of an app, or list them. A running app is restarted without a pause.

        Usage: %env_set NAME [K=V ...] [--secret K ...] [--unset K ...] [--import FILE]

        They belong to the app, and stay for every version of it. All of one line is one change with
        one restart; where the app does not come up with it, it goes on as it was.

        K=V            a variable, readable by you
        --secret K     a secret: you are asked for its value, which stands in no cell and no output,
                       and can never be read again. Of a name in FILE, the value there is the secret
        --unset K      take a variable or secret away
        --import FILE  set what stands in a .env file beside the notebook

        Examples:

            %env_set hello                            lists them
            %env_set hello MODE=fast --secret API_KEY
        """
        from gofastapi_ext.notebook.env import env_set

        env_set(self.shell, line)

    @line_magic
    def health(self, line: str) -> None:
        """Show whether an app is well, and why: it is asked now, and so are its last checks shown.

        Usage: %health NAME

        Example: %health hello
        """
        from gofastapi_ext.notebook.health import health

        health(self.shell, line)

    @line_magic
    def rollback(self, line: str) -> None:
        """Bring an older version of an app back, as a new version.

        Usage: %rollback NAME [N]

        N   the number of the version; without it, the one before the live one

        Example: %rollback hello 1
        """
        from gofastapi_ext.notebook.commands import rollback

        rollback(self.shell, line)

    @line_magic
    def undeploy(self, line: str) -> None:
        """Take an app away. For 7 days %restore brings it back; its data in MongoDB stays.

        Usage: %undeploy NAME

        Example: %undeploy hello
        """
        from gofastapi_ext.notebook import lifecycle

        lifecycle.undeploy(self.shell, line)

    @line_magic
    def restore(self, line: str) -> None:
        """Bring a deleted app back as it was: versions, variables, draft and files.

        Usage: %restore [NAME]

        Without NAME: what can be restored.

        Example: %restore hello
        """
        from gofastapi_ext.notebook import lifecycle

        lifecycle.restore(self.shell, line)

    @line_magic
    def stop(self, line: str) -> None:
        """Stop an app. Its address, versions, variables and files stay.

        Usage: %stop NAME

        Example: %stop hello
        """
        from gofastapi_ext.notebook import lifecycle

        lifecycle.stop(self.shell, line)

    @line_magic
    def start(self, line: str) -> None:
        """Start a stopped app.

        Usage: %start NAME

        Example: %start hello
        """
        from gofastapi_ext.notebook import lifecycle

        lifecycle.start(self.shell, line)

    @line_magic
    def restart(self, line: str) -> None:
        """Start an app anew, without a pause: the old process goes when the new one answers.

        Usage: %restart NAME

        Example: %restart hello
        """
        from gofastapi_ext.notebook import lifecycle

        lifecycle.restart(self.shell, line)

    @line_magic
    def clone(self, line: str) -> None:
        """Make a new app with the code of another as its draft. Variables come along, secrets do not.

        Usage: %clone NAME NEW

        Example: %clone hello hello-two
        """
        from gofastapi_ext.notebook import lifecycle

        lifecycle.clone(self.shell, line)

    @line_magic
    def rename(self, line: str) -> None:
        """Give an app another title, for people to read. Its name and its address stay.

        Usage: %rename NAME TITLE

        Example: %rename hello Hello world
        """
        from gofastapi_ext.notebook import lifecycle

        lifecycle.rename(self.shell, line)

    @line_magic
    def export(self, line: str) -> None:
        """Write what is live as a project that runs without GoFastAPI: code, things from the kernel, requirements,
        Dockerfile, compose file and README.

        Usage: %export NAME FOLDER

        FOLDER   a new or empty folder, or a new file that ends in .zip

        Example: %export hello hello-project
        """
        from gofastapi_ext.notebook import projects

        projects.export(self.shell, line)

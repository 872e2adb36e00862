"""Opens the page: ``python app.py``, with the options of ``serve``. A Space runs it too, and looks for ``demo``."""

import sys

from impress_ui.errors import UserError
from impress_ui.ui.environment import check_environment, collect_less_often, without_stubs

try:
    collect_less_often()
    check_environment()
except UserError as error:
    raise SystemExit(f"Error: {error}") from None

with without_stubs():
    import impress_ui.ui.zero_gpu  # noqa: F401  (there the platform's package has to be imported before torch)
from impress_ui.ui.app import build_app, launch

if __name__ == "__main__" and sys.argv[1:]:
    from impress_ui.__main__ import main

    sys.argv.insert(1, "serve")
    main()  # it ends the program

demo = build_app()

if __name__ == "__main__":
    try:
        launch(demo)
    except UserError as error:
        raise SystemExit(f"Error: {error}") from None

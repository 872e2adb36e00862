"""Opens the page: ``python app.py``. A Hugging Face Space runs this file too, and looks for ``demo``."""

import impress_ui.ui.zero_gpu  # noqa: F401  (there the platform's package has to be imported before torch)
from impress_ui.errors import UserError
from impress_ui.ui.app import build_app, launch

demo = build_app()

if __name__ == "__main__":
    try:
        launch(demo)
    except UserError as error:
        raise SystemExit(f"Error: {error}") from None

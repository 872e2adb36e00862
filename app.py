"""Opens the page: ``python app.py``. A Hugging Face Space runs this file too, and looks for ``demo``."""

from impress_ui.ui.app import build_app, launch

demo = build_app()

if __name__ == "__main__":
    launch(demo)

"""The page and its API, in Gradio. Handlers are thin: widgets to settings, settings to jobs."""

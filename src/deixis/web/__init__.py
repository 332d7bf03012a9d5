"""The page and the HTTP service: one application, one worker that owns the model. See docs/web.md."""

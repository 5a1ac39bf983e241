"""The pages of the room: models, registered barriers, and tags."""

from app.barriers import (
    audience_pages,
    board_pages,
    export_pages,
    model_editing_pages,
    model_pages,
    registered_pages,
    tag_pages,
)

blueprint = model_pages.blueprint

blueprints = (
    board_pages.blueprint,
    export_pages.blueprint,
    model_pages.blueprint,
    model_editing_pages.blueprint,
    registered_pages.blueprint,
    audience_pages.blueprint,
    tag_pages.blueprint,
)

"""The pages of this room: reporting a shipment, and files of shipments."""

from app.indicators import report_pages

blueprint = report_pages.blueprint

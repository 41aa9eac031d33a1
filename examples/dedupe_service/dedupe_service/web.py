"""The HTTP face: POST /orders with an X-Request-Id, GET /orders, GET /articles/N, and a door for the demo."""

import json
import os
import re

from flask import Flask, Response, abort, request

import heapdiff
from dedupe_service.catalogue import articles
from dedupe_service.dedupe import registry
from dedupe_service.orders import orders

__all__ = ["create_app"]


def create_app(snapshot_folder: str | None = None) -> Flask:
    """The application; with a folder for snapshots, this machine may ask for them."""
    app = Flask("dedupe_service")

    @app.post("/orders")
    def place_order() -> Response:
        request_id = request.headers.get("X-Request-Id") or abort(400, "X-Request-Id is missing")
        seen = registry.answer_of(request_id)
        if seen is not None:
            return Response(seen.answer, seen.status, mimetype="application/json")
        wanted = request.get_json()
        order = orders.place(articles.article(int(wanted["article"])), int(wanted["quantity"]))
        answer = json.dumps(
            {"order": order.number, "article": order.article.title, "total": order.total_cents, "state": "accepted"}
        ).encode()
        registry.remember(request_id, request.get_data(), answer, 201)
        return Response(answer, 201, mimetype="application/json")

    @app.get("/orders")
    def latest_orders() -> Response:
        rows = [{"order": order.number, "total": order.total_cents} for order in orders.latest()]
        return Response(json.dumps(rows), mimetype="application/json")

    @app.get("/articles/<int:number>")
    def article(number: int) -> Response:
        found = articles.article(number)
        return Response(json.dumps({"title": found.title, "price": found.price_cents}), mimetype="application/json")

    if snapshot_folder is not None:
        _add_snapshot_door(app, snapshot_folder)
    return app


def _add_snapshot_door(app: Flask, folder: str) -> None:
    @app.post("/debug/heap/<name>")
    def take_snapshot(name: str) -> Response:
        if request.remote_addr != "127.0.0.1" or re.fullmatch(r"[a-z]+", name) is None:
            abort(404)
        snapshot = heapdiff.take_snapshot()
        path = os.path.join(folder, f"{name}.heap")
        heapdiff.write_snapshot(snapshot, path)
        return Response(
            json.dumps(
                {
                    "path": path,
                    "objects": snapshot.object_count,
                    "pause_seconds": snapshot.process.pause_seconds,
                    "bytes": os.path.getsize(path),
                }
            ),
            mimetype="application/json",
        )

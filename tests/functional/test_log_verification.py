"""The log verified in a real browser: whole, cut short, changed, forked; and one entry of it."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from postern.tlog.checkpoint import Checkpoint
from postern.tlog.notes import Note
from postern.vocabulary import Role
from tests.app.compliance.test_log_pages import Log
from tests.app.exchange import JAN, SOPHIE_TYPED, Exchange
from tests.app.people import make_person
from tests.functional.pictures import keep_picture
from tests.functional.test_pages import (
    NARROW,
    on_one_database,
    require_accessible,
    require_fitting,
    sign_in,
)

MODULES = Path(__file__).parents[2] / "app" / "web" / "modules"
VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "data" / "tlog-vectors.json").read_text("utf-8")
)
PATIENCE = 300  # times twenty to the second, until the page asks for entries
NOT_A_ROOT = "testdata/consistency/additional/sizes-are-equal-one-and-proof-is-empty.json"
"""Its roots of 12 bytes pass elsewhere (tests/data/TLOG.md); here a root has 32 bytes."""


@dataclass
class Desk:
    """An officer of police-de at the page of a log that two members witness."""

    page: Page
    log: Log

    def verify(self) -> None:
        """Look again at what was signed since, and verify it."""
        self.page.emulate_media(reduced_motion="reduce")  # what fades in has no contrast yet
        self.page.goto("/log")
        self.page.get_by_role("button", name="Verify the log").click()
        expect(self.page.locator("#verify-all")).to_be_focused()
        expect(self.page.locator("#verify-running")).to_be_hidden()

    @property
    def result(self) -> str:
        return self.page.locator("#verify-result").inner_text()


@pytest.fixture
def desk(exchange: Exchange, page: Page) -> Iterator[Desk]:
    log = Log(exchange)
    cosign_all(log, [log.witness("post-be"), log.witness("police-de")])
    sign_in(page, make_person(exchange.app, "police-de", [Role.COMPLIANCE]))
    heard: list[str] = []
    page.on("pageerror", lambda error: heard.append(str(error)))
    yield Desk(page, log)
    assert heard == []


def cosign_all(log: Log, keys: list[Any]) -> None:
    log.step()
    for key in keys:
        log.cosign(key)


@on_one_database
def test_an_officer_verifies_that_the_log_is_whole_and_only_grew(
    exchange: Exchange, page: Page
) -> None:
    log = Log(exchange)
    keys = [log.witness("post-be"), log.witness("customs-nl")]
    cosign_all(log, keys)
    sign_in(page, make_person(exchange.app, "police-de", [Role.COMPLIANCE]))
    desk = Desk(page, log)
    page.goto("/log")
    expect(page.get_by_text("This browser has not seen the log before.")).to_be_visible()
    require_accessible(page)
    desk.verify()
    expect(page.locator("#verify-all")).to_have_text(
        "The log is whole, as far as a browser can tell."
    )
    assert "2 other organisations saw the same log" in desk.result
    assert "This browser sees its key for the first time" in desk.result
    expect(page.locator("#verify-told")).to_contain_text("The access log keeps that")
    require_accessible(page)
    keep_picture(page, "log-verified")
    (told,) = exchange.entries("log.verify")
    assert told.details["found"] == "whole"
    cosign_all(log, keys)  # the promise of the first verification is kept meanwhile
    desk.verify()
    assert "is there unchanged" in desk.result
    assert "1 entry that was promised by a receipt is in the log" in desk.result
    page.reload()
    expect(page.get_by_role("region", name="All is in order")).to_contain_text("found: whole")
    page.locator("button[lang=fr]").click()
    page.set_viewport_size({"width": NARROW, "height": 800})
    page.emulate_media(color_scheme="dark")
    require_accessible(page)
    require_fitting(page)
    keep_picture(page, "log-fr-narrow-dark")


@on_one_database
def test_what_was_changed_or_withheld_is_found_loudly(desk: Desk) -> None:
    page = desk.page

    def changed(route: Route) -> None:
        answer = route.fetch()
        body = bytearray(answer.body())
        body[40] ^= 1
        route.fulfill(response=answer, body=bytes(body))

    page.context.route("**/audit/log/tile/entries/**", changed)
    desk.verify()
    expect(page.locator("#verify-all")).to_contain_text("The log is NOT whole")
    assert "The entries do not give what was signed" in desk.result
    expect(page.get_by_role("button", name="Keep the evidence as a file")).to_be_visible()
    require_accessible(page)
    page.context.unroute("**/audit/log/tile/entries/**")
    page.context.route("**/audit/log/tile/entries/**", lambda route: route.fulfill(status=404))
    desk.verify()
    assert "does not give out every entry" in desk.result
    page.context.unroute("**/audit/log/tile/entries/**")
    page.context.route("**/audit/log/tile/entries/**", lambda route: route.abort())
    desk.verify()
    assert "The platform did not answer" in desk.result
    assert "NOT" not in desk.result


@on_one_database
def test_a_forked_log_is_refused_and_the_alarm_reaches_everybody(
    exchange: Exchange, desk: Desk
) -> None:
    page = desk.page
    desk.verify()
    size = page.evaluate("JSON.parse(localStorage['postern.log']).size")
    key = desk.log.keeper.sequencer.keys[0]
    text = Checkpoint(key.verifier.name, size, os.urandom(32)).text
    forged = Note(text, (key.sign(text),)).encode().decode()
    page.evaluate(
        """([root, note]) => {
            const held = JSON.parse(localStorage["postern.log"]);
            localStorage["postern.log"] = JSON.stringify({ ...held, root, note });
        }""",
        [text.splitlines()[2], forged],
    )
    desk.verify()
    assert "something that was there was changed or taken out" in desk.result
    page.get_by_role("button", name="Raise the alarm for everybody").click()
    expect(page.locator("#verify-told")).to_contain_text("every organisation is notified")
    (evidence,) = exchange.entries("audit.evidence")
    assert evidence.details["alarm"] == "split-view"
    page.reload()
    expect(page.get_by_role("region", name="Something is wrong with the log")).to_be_visible()
    keep_picture(page, "log-alarm")
    page.get_by_role("button", name="Forget it").click()
    expect(page.get_by_text("This browser has not seen the log before.")).to_be_visible()


@on_one_database
def test_a_shown_entry_is_proved_and_a_changed_one_is_not(exchange: Exchange, desk: Desk) -> None:
    page = desk.page
    exchange.ask("police-de", SOPHIE_TYPED, JAN)
    desk.log.step()
    page.goto("/access-log?act=lookup.ask")
    page.locator(".entry > summary").first.click()
    page.get_by_role("button", name="Verify this entry in the browser").click()
    expect(page.locator(".proof-good")).to_contain_text("It stands in the log")
    require_accessible(page)
    page.locator("[data-record]").first.evaluate(
        "(shown) => { shown.textContent = shown.textContent.replace('lookup.ask', 'lookup.all'); }"
    )
    page.get_by_role("button", name="Verify this entry in the browser").click()
    expect(page.locator(".proof-bad")).to_contain_text("not what was hashed")


@on_one_database
def test_a_long_log_shows_its_progress_and_can_be_stopped(desk: Desk) -> None:
    page = desk.page
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.context.route("**/audit/log/tile/entries/**", hold)
    page.goto("/log")
    page.get_by_role("button", name="Verify the log").click()
    expect(page.locator("#verify-progress")).to_have_text("The log is being verified …")
    for _ in range(PATIENCE):
        if held:
            break
        page.wait_for_timeout(50)
    page.get_by_role("button", name="Stop").click()
    for route in held:
        route.continue_()
    expect(page.locator("#verify-all")).to_be_focused()
    assert "You stopped after 0 of" in desk.result
    assert "not everything could be told" in desk.result


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The modules of the log as one script, bundled from their sources with the pinned packages."""
    tree = tmp_path_factory.mktemp("modules")
    for file in (*MODULES.glob("tlog_*.js"), *MODULES.glob("package*.json"), MODULES / "bytes.js"):
        shutil.copy(file, tree)
    if (MODULES / "node_modules").is_dir():
        (tree / "node_modules").symlink_to(MODULES / "node_modules")
    else:
        command = ("npm", "ci", "--ignore-scripts")
        subprocess.run(command, cwd=tree, check=True, capture_output=True, timeout=240)
    names = ("tlog_notes", "tlog_tree", "tlog_tiles", "bytes")
    (tree / "all.js").write_text("".join(f'export * from "./{name}.js";\n' for name in names))
    made = subprocess.run(
        ("node_modules/.bin/esbuild", "all.js", "--bundle", "--format=esm"),
        cwd=tree,
        check=True,
        capture_output=True,
        timeout=120,
    )
    return made.stdout.decode()


JUDGE = """async ({notes, goodKeys, badKeys, inclusion, consistency, roots, paths, tiled}) => {
    const log = await import("/static/modules/tlog.js");
    const raw = (text) => log.fromBase64(text ?? "");
    const hex = (text) => Uint8Array.from(text.match(/../g) ?? [], (two) => parseInt(two, 16));
    const two = (byte) => byte.toString(16).padStart(2, "0");
    const written = (bytes) => Array.from(bytes, two).join("");
    const told = (act) => {
        try {
            return act() ?? "accepted";
        } catch (error) {
            if (["NoteError", "ProofError"].includes(error.name)) return "refused";
            throw error;
        }
    };
    const signed = (each) => log.verified(
        log.parseNote(log.utf8(each.note)), each.vkeys.map((key) => new log.VerifierKey(key)),
    ).map(({ key, time }) => [key.name, time]);
    const leaves = roots.map((leaf) => log.leafHash(hex(leaf)));
    const kept = Object.entries(tiled.files_base64);
    const files = new Map(kept.map(([path, text]) => [path, raw(text)]));
    const key = new log.VerifierKey(tiled.vkey);
    const heads = Object.values(tiled.checkpoints_by_size).map(
        (note) => log.openCheckpoint(log.utf8(note), [key]).checkpoint,
    );
    for (const head of heads) {
        const tree = new log.TiledTree(async (path) => files.get(path), head.size);
        const entries = [];
        for (const [index, width] of log.bundlesOf(head.size)) {
            const path = log.tilePath(log.ENTRIES_LEVEL, index, width);
            entries.push(...log.parseBundle(files.get(path), width));
        }
        if (!log.same(log.rootOf(entries.map(log.leafHash)), head.root)) throw new Error("root");
        if (!log.same(await tree.root(), head.root)) throw new Error("root of tiles");
        for (const [index, entry] of entries.entries()) {
            const proof = await tree.inclusionProof(index);
            log.verifyInclusion(index, head.size, log.leafHash(entry), proof, head.root);
        }
        for (const old of heads.filter((each) => each.size && each.size <= head.size)) {
            const proof = await tree.consistencyProof(old.size);
            log.verifyConsistency(old.size, old.root, head.size, head.root, proof);
        }
    }
    return {
        heads: heads.length,
        notes: notes.map((each) => told(() => signed(each))),
        goodKeys: goodKeys.map((each) => new log.VerifierKey(each).vkey),
        badKeys: badKeys.map((each) => told(() => new log.VerifierKey(each).vkey)),
        inclusion: inclusion.map((each) => told(() => log.verifyInclusion(
            each.leafIdx, each.treeSize, raw(each.leafHash), (each.proof ?? []).map(raw),
            raw(each.root),
        ))),
        consistency: consistency.map((each) => told(() => log.verifyConsistency(
            each.size1, raw(each.root1), each.size2, raw(each.root2), (each.proof ?? []).map(raw),
        ))),
        roots: [0, ...leaves.keys()].map((_, size) => written(log.rootOf(leaves.slice(0, size)))),
        paths: paths.map((each) => log.tilePath(each.level, each.index, each.width)),
    };
}"""


@on_one_database
def test_known_answers_of_others_are_given_in_the_browser_too(page: Page, modules: str) -> None:
    page.context.route(
        "**/static/modules/tlog.js",
        lambda route: route.fulfill(body=modules, content_type="text/javascript"),
    )
    page.goto("/sign-in")
    notes = VECTORS["signed_notes"]["cases"] + VECTORS["cosignature_v1"]["cases"]
    asked = {
        "notes": notes,
        "goodKeys": VECTORS["signed_notes"]["vkeys_good"],
        "badKeys": [*VECTORS["signed_notes"]["vkeys_bad"], "", "++", "name+00000000+"],
        "inclusion": VECTORS["inclusion_proofs"]["cases"],
        "consistency": VECTORS["consistency_proofs"]["cases"],
        "roots": VECTORS["rfc6962_roots"]["leaves_hex"],
        "paths": VECTORS["tile_paths"]["cases"],
        "tiled": VECTORS["tiled_log"],
    }
    found = page.evaluate(JUDGE, asked)
    for case, answer in zip(notes, found["notes"], strict=True):
        if case["wantErr"]:
            assert answer in ("refused", []), case["desc"]
        elif isinstance(case["verified"], dict):
            assert dict(answer) == case["verified"], case["desc"]
        else:
            assert [name for name, _ in answer] == case["verified"], case["desc"]
    assert found["goodKeys"] == asked["goodKeys"]
    assert set(found["badKeys"]) == {"refused"}
    for part in ("inclusion", "consistency"):
        for case, answer in zip(asked[part], found[part], strict=True):
            is_refused = case["wantErr"] or case["file"] == NOT_A_ROOT
            assert answer == ("refused" if is_refused else "accepted"), case["file"]
    assert found["roots"] == VECTORS["rfc6962_roots"]["roots_hex_by_size"]
    assert found["paths"] == [case["path"] for case in asked["paths"]]
    assert found["heads"] == len(VECTORS["tiled_log"]["checkpoints_by_size"])

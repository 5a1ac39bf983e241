"""Models, tags and barriers as plain values for the wire, in one language."""

from collections.abc import Iterable, Mapping
from typing import Any

from app.barriers.comparing import Comparison, Named
from app.barriers.model import Barrier, BarrierModel, Cell, CellKind, Signal, Wording
from app.barriers.model_storage import FoundModel
from app.barriers.modelling import Checked, InUse, Model
from app.barriers.models import ModelVersion
from app.barriers.registering import Gaps, Shown, StepGap
from app.barriers.suggesting import Suggestion
from app.barriers.tagging import Suggested, Tag

Told = Mapping[str, Any]


def listed(found: FoundModel) -> Told:
    """A row of a list: of one that was never in force what waits, else what is in force."""
    shown = found.version or found.proposal
    return {
        "id": found.model.public_id,
        "document_id": found.model.document_id,
        "organisation": found.owner,
        "community": found.community,
        "is_own": found.is_own,
        "title": shown.title if shown else "",
        "status": shown.status if shown else None,
        "version": found.version.seq if found.version else None,
        "number": found.version.number if found.version else None,
        "proposed": found.proposal.seq if found.proposal else None,
    }


def model(shown: Model, language: str) -> Told:
    """A model with its versions; of another's without persons and notes."""
    return {
        "listed": listed(shown.found),
        "is_in_use": shown.is_in_use,
        "document": document(shown.document, language) if shown.document else None,
        "versions": [_version(each, is_own=shown.found.is_own) for each in shown.versions],
    }


def in_use(used: InUse, language: str) -> Told:
    """The model that is used."""
    return {
        "model": used.model,
        "version": used.version,
        "document": document(used.document, language),
        "history": used.history,
    }


def checked(found: Checked, language: str) -> Told:
    """What a text holds."""
    told = document(found.model, language) if found.model else None
    return {"document": told, "faults": found.faults}


def document(read: BarrierModel, language: str) -> Told:
    """A model in a language, or in its own first where it has not that one."""
    return {
        "title": _said(read.title, language),
        "status": read.status,
        "label": read.label(language),
        "statement": _said(read.statement, language),
        "languages": read.languages,
        "sources": read.sources,
        "steps": [
            {
                "number": step.number,
                "key": step.key,
                "title": _said(step.title, language),
                "summary": _said(step.summary, language),
                "basis": step.basis,
                "sources": step.sources,
                "cells": [_cell(kind, cell, language) for kind, cell in step.cells],
            }
            for step in read.steps
        ],
    }


def comparison(found: Comparison) -> Told:
    """What a version changes."""
    return {
        "objections": found.objections,
        "heading": found.heading,
        "added": found.added,
        "removed": found.removed,
        "moved": [_part(each.named, step_before=each.step_before) for each in found.moved],
        "reworded": [_part(each.named, languages=each.languages) for each in found.reworded],
        "changed": found.changed,
    }


def suggested(found: Suggested, language: str) -> Told:
    """What is suggested for a report."""
    return {
        "model": found.model,
        "version": found.version,
        "label": found.document.label(language),
        "steps": found.steps,
        "signals": [_suggestion(found.document, each, language) for each in found.signals],
    }


def tag(found: Tag, language: str) -> Told:
    """A tag with the words of its own version."""
    texts = _texts(found.document)
    return {
        "model": found.model,
        "version": found.version,
        "label": found.document.label(language),
        "step": found.step,
        "signals": [
            {
                "signal": each.key,
                "text": _said(texts[each.key], language),
                "reason": each.suggestion.reason(language) if each.suggestion else None,
            }
            for each in found.signals
        ],
        "rejected": found.rejected,
        "made_at": found.made_at,
        "made_by": found.made_by,
    }


def barrier(shown: Shown, language: str) -> Told:
    """A registered barrier with the words of its own version of the model."""
    row, found = shown.found.barrier, shown.found
    return {
        "id": row.public_id,
        "organisation": found.owner,
        "is_own": found.is_own,
        "model": found.model,
        "version": found.version.seq,
        "label": shown.document.label(language),
        "step": row.step,
        "step_title": _said(shown.document.steps[row.step - 1].title, language),
        "barrier": row.barrier_key,
        "text": _said(shown.text, language),
        "country": row.country,
        "operator": row.point_operator,
        "code": row.point_code,
        "from": row.from_day,
        "until": row.to_day,
        "cost": row.cost,
        "legal_basis": row.legal_basis,
        "tlp": row.tlp,
        "handling": row.handling,
        "source_grade": row.source_grade,
        "information_grade": row.information_grade,
        "assertion": row.assertion,
        "expires_on": row.expires_on,
        "registered_at": row.registered_at,
        "policy": shown.policy,
        "rules": shown.rules,
    }


def gaps(found: Gaps, language: str) -> Told:
    """The steps with what holds at them."""
    return {
        "model": found.model,
        "version": found.version,
        "label": found.document.label(language),
        "on": found.on,
        "steps": step_gaps(found.document, found.steps, language),
        "elsewhere": found.elsewhere,
    }


def step_gaps(document: BarrierModel, steps: Iterable[StepGap], language: str) -> list[Told]:
    """Steps with the barriers that hold at each."""
    texts = {each.key: each.text for step in document.steps for each in step.barriers}
    return [
        {
            "number": step.number,
            "key": step.key,
            "title": _said(step.title, language),
            "is_gap": step.is_gap,
            "barriers": [
                {
                    "barrier": key,
                    "text": _said(texts[key], language),
                    "own": held.own,
                    "others": held.others,
                }
                for key, held in step.held.items()
            ],
        }
        for step in steps
    ]


def _version(version: ModelVersion, *, is_own: bool) -> Told:
    return {
        "version": version.seq,
        "number": version.number,
        "state": version.state,
        "title": version.title,
        "sha256": version.sha256.hex(),
        "proposed_at": version.proposed_at,
        "proposed_by": version.proposed_by if is_own else None,
        "decided_at": version.decided_at,
        "decided_by": version.decided_by if is_own else None,
        "note": version.note if is_own else None,
    }


def _cell(kind: CellKind, cell: Cell, language: str) -> Told:
    told: dict[str, Any] = {
        "column": kind,
        "key": cell.key,
        "text": _said(cell.text, language),
        "basis": cell.basis,
        "sources": cell.sources,
        "suggests": None,
        "type": None,
        "set_by": (),
        "cost": None,
        "cost_basis": None,
        "legal_basis": None,
        "evidence": None,
    }
    if isinstance(cell, Signal) and cell.suggest is not None:
        told["suggests"] = cell.suggest.text
    if isinstance(cell, Barrier):
        evidence = cell.evidence
        told |= {
            "type": cell.type,
            "set_by": cell.set_by,
            "cost": cell.cost,
            "cost_basis": cell.cost_basis,
            "legal_basis": _said(cell.legal_basis.text, language) if cell.legal_basis else None,
            "evidence": {
                "strength": evidence.strength,
                "finding": evidence.finding,
                "text": _said(evidence.text, language) if evidence.text else None,
                "sources": evidence.sources,
            },
        }
    return told


def _part(named: Named, **more: Any) -> Told:
    return {"part": named.part, "step": named.step, "key": named.key, **more}


def _suggestion(read: BarrierModel, suggestion: Suggestion, language: str) -> Told:
    return {
        "step": suggestion.step,
        "signal": suggestion.signal,
        "text": _said(_texts(read)[suggestion.signal], language),
        "reason": suggestion.reason(language),
    }


def _texts(read: BarrierModel) -> Mapping[str, Wording]:
    return {signal.key: signal.text for _, signal in read.signals}


def _said(wording: Wording, language: str) -> str:
    text, _ = wording.said(language)
    return text

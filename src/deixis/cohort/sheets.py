"""Every question about one image, asked of its view: phrases, and what reports assert."""

from __future__ import annotations

from dataclasses import dataclass

from deixis.cohort.faults import fault, told
from deixis.cohort.items import Failure, Item, Sheet
from deixis.cohort.shards import Answered
from deixis.errors import ReportError
from deixis.ground import View
from deixis.ground_report import report_in
from deixis.language import read_report


@dataclass(frozen=True)
class Answers:
    """What came of the items about one image: answers, and why others have none."""

    answered: tuple[Answered, ...]
    failures: tuple[Failure, ...]


def answers(sheet: Sheet, view: View) -> Answers:
    """The phrases of all items share batches; a phrase or report that the model does not take ends no other."""
    found: list[Answered] = []
    failures: list[Failure] = []
    taken: list[tuple[Item, int]] = []
    for item in sheet.items:
        for number, phrase in enumerate(item.phrases):
            refusal = view.refusal(phrase)
            if refusal is None:
                taken.append((item, number))
            else:
                failures.append(Failure(item.row, item.id, sheet.image, "phrase", f"Phrase {number + 1}: {refusal}"))
    groundings = view.find_all([item.phrases[number] for item, number in taken])
    for (item, number), grounding in zip(taken, groundings, strict=True):
        found.append(Answered(item, number, item.phrases[number], grounding))
    for item in sheet.items:
        try:
            found.extend(_of_report(item, view))
        except ReportError as error:
            failures.append(Failure(item.row, item.id, sheet.image, fault(error), told(error)))
    return Answers(tuple(found), tuple(failures))


def _of_report(item: Item, view: View) -> list[Answered]:
    """An answer per mention, those that are not asserted too; numbered after the item's phrases."""
    if item.report is None:
        return []
    report = report_in(view, read_report(item.report))
    return [
        Answered(item, number, one.mention.phrase, one.grounding, one.mention, one.reason)
        for number, one in enumerate(report.answers, start=len(item.phrases))
    ]

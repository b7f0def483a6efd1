"""Create, update and delete an analysis template; its SQL cannot be changed, so another text takes another name."""

from __future__ import annotations

from cleanrooms.aws.hooks.resource import Kind
from cleanrooms.aws.operators.resource import CreateOperator, DeleteOperator, UpdateOperator

KIND = Kind(
    "analysis_template",
    "analysisTemplate",
    identity=("membershipIdentifier", "name"),
    identifier="analysisTemplateIdentifier",
    parents=("membershipIdentifier",),
    mutable=frozenset({"description"}),
    listing=("list_analysis_templates", "analysisTemplateSummaries"),
)


class CleanRoomsCreateAnalysisTemplateOperator(CreateOperator):
    """Create an analysis template (arguments: :class:`CreateOperator`)."""

    kind = KIND


class CleanRoomsUpdateAnalysisTemplateOperator(UpdateOperator):
    """Update an analysis template (arguments: :class:`UpdateOperator`)."""

    kind = KIND


class CleanRoomsDeleteAnalysisTemplateOperator(DeleteOperator):
    """Delete an analysis template (arguments: :class:`DeleteOperator`)."""

    kind = KIND

"""Addresses of scenes, dubs, renders, deliverables, and the public verify page."""

from django.urls import path, re_path

from synthesis.adapting import pages as adapting
from synthesis.review import pages as review
from synthesis.scenes import (
    dubs,
    labels,
    mouths,
    own_faces,
    pages,
    projects,
    renders,
    uploads,
)
from synthesis.verification import lookup
from synthesis.verification import pages as verification

app_name = "synthesis"
urlpatterns = [
    path("projects/<uuid:project_id>/", projects.project, name="project"),
    path("projects/<uuid:project_id>/scenes/", projects.scene_new, name="scene_new"),
    path("projects/<uuid:project_id>/uploads/", uploads.begin, name="upload_begin"),
    path("projects/<uuid:project_id>/label/", labels.label, name="label"),
    path(
        "projects/<uuid:project_id>/label/preview.png",
        labels.preview,
        name="label_preview",
    ),
    path("uploads/<uuid:upload_id>/", uploads.upload, name="upload"),
    path("scenes/<uuid:scene_id>/", pages.scene, name="scene"),
    path("scenes/<uuid:scene_id>/progress/", pages.progress, name="scene_progress"),
    path("scenes/<uuid:scene_id>/again/", pages.again, name="scene_again"),
    path("scenes/<uuid:scene_id>/original/", pages.original, name="scene_original"),
    path("scenes/<uuid:scene_id>/breaks/", labels.breaks, name="scene_breaks"),
    path("scenes/<uuid:scene_id>/dubs/", dubs.dub_new, name="dub_new"),
    path("tracks/<uuid:track_id>/thumbnail/", pages.thumbnail, name="track_thumbnail"),
    path("tracks/<uuid:track_id>/guard/", pages.guard, name="track_guard"),
    path("me/faces/", own_faces.own_faces, name="own_faces"),
    path("me/faces/new/", own_faces.own_face_brought, name="own_face_brought"),
    path("me/faces/forget/", own_faces.own_face_forgotten, name="own_face_forgotten"),
    path("me/faces/<uuid:sighting_id>/", own_faces.own_face, name="own_face"),
    path(
        "me/faces/<uuid:sighting_id>/no/",
        own_faces.own_face_denied,
        name="own_face_denied",
    ),
    path(
        "me/faces/<uuid:sighting_id>/pictures/",
        own_faces.own_face_sheet,
        name="own_face_sheet",
    ),
    path("tracks/<uuid:track_id>/actor/", pages.assign, name="track_actor"),
    path("dubs/<uuid:dub_id>/content/", dubs.dub_content, name="dub_content"),
    path("dubs/<uuid:dub_id>/lines/", dubs.line_new, name="line_new"),
    path("lines/<uuid:line_id>/remove/", dubs.line_gone, name="line_remove"),
    path("dubs/<uuid:dub_id>/renders/", renders.render_new, name="render_new"),
    path("dubs/<uuid:dub_id>/mouths/", mouths.mouths, name="mouths"),
    path("dubs/<uuid:dub_id>/mouths/curves/", mouths.curves, name="curves"),
    path("dubs/<uuid:dub_id>/mouths/curves/new/", mouths.curves_new, name="curves_new"),
    path("renders/<uuid:render_id>/", renders.progress, name="render"),
    path(
        "renders/<uuid:render_id>/performance/<slug:form>/",
        renders.performance,
        name="performance",
    ),
    path("renders/<uuid:render_id>/cancel/", renders.cancel, name="render_cancel"),
    path("deliverables/<uuid:deliverable_id>/", review.review, name="deliverable"),
    path(
        "deliverables/<uuid:deliverable_id>/file/",
        review.watched,
        name="deliverable_file",
    ),
    path(
        "deliverables/<uuid:deliverable_id>/for-actor/",
        review.watched_by_actor,
        name="deliverable_for_actor",
    ),
    path(
        "deliverables/<uuid:deliverable_id>/download/",
        review.download,
        name="deliverable_download",
    ),
    re_path(
        r"^deliverables/(?P<deliverable_id>[0-9a-f-]{36})/receipt\.(?P<form>json|pdf)$",
        review.receipt,
        name="deliverable_receipt",
    ),
    path(
        "deliverables/<uuid:deliverable_id>/audit/",
        review.audit_bundle,
        name="audit_bundle",
    ),
    path(
        "deliverables/<uuid:deliverable_id>/comments/",
        review.comment_new,
        name="comment_new",
    ),
    path(
        "deliverables/<uuid:deliverable_id>/decisions/",
        review.decision_new,
        name="decision_new",
    ),
    path(
        "projects/<uuid:project_id>/actors/<uuid:actor_id>/",
        adapting.actor,
        name="actor",
    ),
    path(
        "projects/<uuid:project_id>/actors/<uuid:actor_id>/footage/",
        adapting.footage_new,
        name="footage_new",
    ),
    path(
        "projects/<uuid:project_id>/actors/<uuid:actor_id>/adaptations/",
        adapting.adaptation_new,
        name="adaptation_new",
    ),
    path(
        "footage/<uuid:footage_id>/remove/",
        adapting.footage_gone,
        name="footage_remove",
    ),
    path(
        "footage/<uuid:footage_id>/guard/", adapting.footage_guard, name="footage_guard"
    ),
    path(
        "footage/<uuid:footage_id>/propose/",
        adapting.footage_proposed,
        name="footage_propose",
    ),
    path("adaptations/<uuid:adaptation_id>/", adapting.progress, name="adaptation"),
    path(
        "adaptations/<uuid:adaptation_id>/cancel/",
        adapting.cancel,
        name="adaptation_cancel",
    ),
    path("models/<int:model_id>/delete/", adapting.model_gone, name="model_delete"),
    path("stills/<uuid:still_id>/", adapting.still, name="still"),
    path("verify/", verification.verify, name="verify"),
    path("verify/<str:ticket>/", verification.verify_answer, name="verify_answer"),
    path("verify/<str:ticket>/leave/", verification.verify_leave, name="verify_leave"),
    path("c2pa/v1/openapi.json", lookup.description, name="lookup_described"),
    path("c2pa/v1/matches/byBinding", lookup.by_binding, name="by_binding"),
    path("c2pa/v1/matches/byContent", lookup.by_content, name="by_content"),
    path("c2pa/v1/manifests/<path:manifest_id>", lookup.manifest, name="manifest"),
    path("c2pa/v1/services/supportedAlgorithms", lookup.algorithms, name="algorithms"),
]

"""Addresses of this part."""

from django.urls import path, re_path

from consent.views import (
    cast,
    cosigning,
    grants,
    inbox,
    invitation,
    keys,
    ledger,
    outputs,
    own,
    own_data,
    people,
    receipts,
    recovering,
    withdrawals,
)

app_name = "consent"

urlpatterns = [
    path("me/", own.home, name="home"),
    path("me/data/", own_data.own_data, name="own_data"),
    path("me/face/", own_data.face_data, name="face_data"),
    path("me/face/deleted/<int:index>/", own_data.face_deleted, name="face_deleted"),
    path(
        "me/face/deleted/<int:index>/proof.json",
        own_data.face_deleted_proof,
        name="face_deleted_proof",
    ),
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/read/", inbox.all_read, name="inbox_read"),
    path("inbox/mail/", inbox.wish, name="inbox_mail"),
    path("inbox/<uuid:notice_id>/", inbox.notice, name="notice"),
    path("me/agent/", receipts.agent, name="agent"),
    path("me/passkeys/", keys.passkeys, name="passkeys"),
    path("me/passkeys/add/", keys.passkey_add, name="passkey_add"),
    path(
        "me/passkeys/<uuid:passkey_id>/confirm/",
        keys.passkey_vouch,
        name="passkey_vouch",
    ),
    path("me/passkeys/<uuid:passkey_id>/retire/", keys.retire, name="passkey_retire"),
    path("recovery/<str:token>/", keys.recovery, name="recovery"),
    path("cosigning/", cosigning.home, name="cosigner_home"),
    path("cosigning/<str:token>/", cosigning.invitation, name="cosign_invitation"),
    path("grants/<uuid:grant_id>/cosign/", cosigning.cosign, name="cosign"),
    path("invitation/<str:token>/", invitation.invitation, name="invitation"),
    path("grants/<uuid:grant_id>/", grants.grant, name="grant"),
    path("grants/<uuid:grant_id>/sign/", grants.sign, name="sign"),
    path("grants/<uuid:grant_id>/decline/", grants.decline, name="decline"),
    path("grants/<uuid:grant_id>/narrow/", grants.narrow, name="narrow"),
    path("grants/<uuid:grant_id>/send-back/", grants.send_back, name="send_back"),
    path("grants/<uuid:grant_id>/revoke/", withdrawals.revoke, name="revoke"),
    path("grants/<uuid:grant_id>/suspend/", withdrawals.suspend, name="suspend"),
    path("grants/<uuid:grant_id>/lift/", withdrawals.lift, name="lift"),
    path(
        "grants/<uuid:grant_id>/versions/<str:sha256>/", outputs.output, name="output"
    ),
    path(
        "grants/<uuid:grant_id>/versions/<str:sha256>/send-back/",
        outputs.send_back,
        name="output_return",
    ),
    re_path(
        r"^grants/(?P<grant_id>[0-9a-f-]{36})/receipt\.(?P<form>json|pdf)$",
        receipts.receipt,
        name="receipt",
    ),
    path("grants/<uuid:grant_id>/question.pdf", receipts.question, name="question"),
    path("ledger/key", ledger.key, name="ledger_key"),
    path("ledger/checkpoint", ledger.checkpoint, name="checkpoint"),
    path("ledger/checkpoints", ledger.checkpoints, name="checkpoints"),
    path("ledger/checkpoints/<int:size>", ledger.checkpoint, name="checkpoint_at"),
    path("ledger/consistency", ledger.consistency, name="consistency"),
    path("ledger/entries/<int:index>/proof", ledger.entry_proof, name="entry_proof"),
    path("projects/new/", people.project_new, name="project_new"),
    path(
        "projects/<uuid:project_id>/names/", people.project_names, name="project_names"
    ),
    path("projects/<uuid:project_id>/people/", people.people, name="people"),
    path(
        "projects/<uuid:project_id>/people/<int:membership_id>/remove/",
        people.remove,
        name="member_remove",
    ),
    path("projects/<uuid:project_id>/actors/", cast.actors, name="actors"),
    path(
        "projects/<uuid:project_id>/actors/<uuid:actor_id>/mandate/",
        cast.mandate,
        name="mandate",
    ),
    path(
        "projects/<uuid:project_id>/actors/<uuid:actor_id>/recovery/",
        recovering.recover,
        name="recover",
    ),
    path(
        "projects/<uuid:project_id>/actors/<uuid:actor_id>/ask/",
        cast.propose,
        name="propose",
    ),
]

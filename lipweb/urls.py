"""Every address of the site."""

from django.urls import include, path

urlpatterns = [
    path("", include("lipweb.pages.urls")),
    path("", include("consent.urls")),
    path("", include("synthesis.urls")),
]

handler400 = "lipweb.errors.bad_request"
handler403 = "lipweb.errors.forbidden"
handler404 = "lipweb.errors.not_found"
handler500 = "lipweb.errors.server_error"
